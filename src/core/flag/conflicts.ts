/** Flags that claim the same requests: allowed, for one of them wins, but hardly meant. */
import type { Fault } from "../rollout/snapshot.ts";
import { pathText } from "./faults.ts";
import type { Flag } from "./schema.ts";

/**
 * Faults of flags that route a host and path pattern which a flag with a name that sorts before theirs routes too.
 * Such a flag is loaded, but never asked for that pattern. One fault for each pattern of the later flag.
 */
export function routeConflicts(flags: ReadonlyMap<string, Flag>): Fault[] {
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const name of [...flags.keys()].sort()) {
    const route = flags.get(name)?.route;
    for (const [i, pattern] of (route?.paths ?? []).entries()) {
      let rival: { owner: string; host: string } | undefined;
      for (const host of route?.hosts ?? []) {
        const key = `${host} ${pattern}`;
        const owner = owners.get(key);
        if (owner === undefined) owners.set(key, name);
        else if (owner !== name) rival ??= { owner, host };
      }
      if (rival) faults.push(conflict(name, i, pattern, rival.host, rival.owner));
    }
  }
  return faults;
}

function conflict(name: string, i: number, pattern: string, host: string, owner: string): Fault {
  return {
    path: pathText(["flags", name, "route", "paths", i]),
    message: `${pattern} on host ${host} is routed by flag ${owner} too, which wins because its name sorts first`,
    expected: "a host and path that no other flag routes",
  };
}
