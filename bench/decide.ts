/** The decision alone, from a request's headers to the variant: nanoseconds per call, without any platform around it. */
import { compileTable } from "../src/core/flag/compile.ts";
import { decide as decideFlag } from "../src/core/flag/evaluate.ts";
import { parseDocument } from "../src/core/flag/parse.ts";
import { askedShare, type EffectiveFlag, servedBare } from "../src/core/rollout/effective.ts";
import { identify } from "../src/router/identity.ts";
import { documentOf, hostOf } from "./document.ts";
import type { Bench, Figure, Named } from "./figure.ts";
import { median, quantile } from "./statistics.ts";
import { cookieOf } from "./visitors.ts";

const FLAG_COUNTS = [1, 50, 1000];
const CALLS = { quick: 200_000, full: 1_000_000 };
const ROUNDS = 7;
/** Requests that are made before the clock runs and then used again and again. */
const REQUESTS = 4096;
const NS_PER_MS = 1e6;
/** Time of the decisions, milliseconds since the epoch: no flag here asks for it. */
const NOW = 0;

const ORIGINS = { blue: "https://blue.example.com", green: "https://green.example.com" };

async function measure(bench: Bench): Promise<Figure[]> {
  return FLAG_COUNTS.map((flags) => figure(flags, bench.quick ? CALLS.quick : CALLS.full));
}

function figure(flags: number, calls: number): Figure {
  const table = compileTable(effective(flags));
  const requests = Array.from({ length: REQUESTS }, (_, i) => ({
    host: hostOf(i % flags),
    headers: new Headers({ cookie: `theme=dark; gl_visitor=${cookieOf(i)}; session=abcdefghijklmnop` }),
  }));
  let green = 0;
  const one = (i: number) => {
    const { host, headers } = requests[i % REQUESTS]!;
    const flag = table.match(host, "/shop/item/42");
    if (!flag) throw new Error(`no flag for ${host}`);
    if (decideFlag(flag, identify(flag, headers), NOW).variant === "green") green++;
  };
  for (let i = 0; i < calls; i++) one(i);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) one(i);
    return ((performance.now() - start) / calls) * NS_PER_MS;
  });
  const ns = median(rounds);
  return {
    name: `identity to variant, ${flags} ${flags === 1 ? "flag" : "flags"}`,
    value: `${ns.toFixed(0)} ns`,
    number: ns,
    note: `best of ${ROUNDS} rounds ${quantile(rounds, 0).toFixed(0)} ns; ${((100 * green) / (calls * (ROUNDS + 1))).toFixed(1)} % green; Node's Headers`,
  };
}

function effective(n: number): EffectiveFlag[] {
  return [...parseDocument(documentOf(n, ORIGINS)).flags].map(([name, spec]) =>
    servedBare(name, spec, askedShare(spec)),
  );
}

export const decide: Named = {
  name: "decide",
  about: "the decision alone, identity to variant",
  run: measure,
};
