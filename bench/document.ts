/** Flag documents of the benches. */
import type { DocumentInput, FlagInput } from "../src/core/flag/schema.ts";

/** Host of flag i. */
export function hostOf(i: number): string {
  return `shop${i}.example.com`;
}

/** A document of n flags, each with a host of its own, all in canary at the same percentage. */
export function documentOf(n: number, origins: { blue: string; green: string }, flag: Flag = {}): string {
  const { route, ...rest } = flag;
  const flags: DocumentInput["flags"] = {};
  for (let i = 0; i < n; i++) {
    flags[`shop-${i}`] = {
      state: "canary",
      percentage: 50,
      release: "2.1.0",
      ...rest,
      route: { hosts: [hostOf(i)], blue: origins.blue, green: origins.green, ...route },
    };
  }
  return JSON.stringify({ flags });
}

/** What a bench changes in its flags; the origins are the bench's own. */
export type Flag = Partial<Omit<FlagInput, "route">> & {
  route?: Partial<NonNullable<FlagInput["route"]>>;
};
