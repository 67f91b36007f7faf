/** Streams of ticks for the tests of the comparison: what is not said is an hour of calm, or nothing. */
import fc from "fast-check";
import { Random } from "../../../bench/halt/random.ts";
import type {
  ComparisonConfig,
  ComparisonTick,
  ComparisonView,
  Side,
} from "../../../src/core/analysis/comparing.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import type { Forgiveness } from "../../../src/core/analysis/forgiveness.ts";
import { BUCKETS } from "../../../src/core/analysis/histogram.ts";
import { ODDS } from "../../../src/core/analysis/odds.ts";
import { SLICES } from "../../../src/core/analysis/tally.ts";

export const TICK_MS = 2000;

export const NONE: Side = { requests: 0, errors: 0 };

export function config(parts: Partial<ComparisonConfig> = {}): ComparisonConfig {
  return { alpha: 0.001, signals: ["errors", "latency"], ...parts };
}

/** A comparison and the time that it is at. */
export class Run {
  comparison: Comparison;
  at = 0;

  constructor(parts: Partial<ComparisonConfig> = {}) {
    this.comparison = new Comparison(config(parts));
  }

  stage(share: number): void {
    this.comparison.stage(this.at, share);
  }

  tick(blue: Side, green: Side = NONE, ms = TICK_MS): ComparisonView {
    this.at += ms;
    this.comparison.observe({ at: this.at, ms, blue, green });
    return this.comparison.view();
  }

  /** So many seconds of ticks; the last view. Ends at the first that halts. */
  seconds(n: number, sides: (second: number) => [Side, Side?]): ComparisonView {
    let view = this.comparison.view();
    for (let s = 0; s < n && !view.unhealthy; s += TICK_MS / 1000) view = this.tick(...sides(s));
    return view;
  }
}

/** A side that fails evenly: `rate` of its requests, rounded by turns so that no error is lost; slices by turns. */
export class Even {
  #owed = 0;
  #slice = 0;

  side(requests: number, rate: number): Side {
    this.#owed += requests * rate;
    const errors = Math.floor(this.#owed + 1e-9);
    this.#owed -= errors;
    const slices = new Uint16Array(SLICES);
    for (let i = 0; i < errors; i++) slices[this.#slice++ % SLICES]! += 1;
    return { requests, errors, slices };
  }
}

/** A side that fails by chance, each request for itself. */
export function chance(random: Random, requests: number, rate: number): Side & { slices: Uint16Array } {
  const slices = new Uint16Array(SLICES);
  let errors = 0;
  for (let i = 0; i < requests; i++) {
    if (random.uniform() >= rate) continue;
    errors += 1;
    slices[Math.floor(random.uniform() * SLICES)]! += 1;
  }
  return { requests, errors, slices };
}

/** Two sides of a site with 50 requests a second, of which green has a part. */
export function site(seed: number, share: number, perSecond = 50) {
  const random = new Random("site", seed);
  const requests = (perSecond * TICK_MS) / 1000;
  return {
    blue: (rate = 0.01) => chance(random, Math.round(requests * (1 - share)), rate),
    green: (rate = 0.01) => chance(random, Math.round(requests * share), rate),
  };
}

export { Random };

/** So many latencies in each of these buckets. */
export function buckets(counts: Record<number, number>): Float64Array {
  const into = new Float64Array(BUCKETS);
  for (const bucket in counts) into[bucket] = counts[bucket]!;
  return into;
}

/** What can happen to a comparison. */
export type Event =
  | { kind: "tick"; ms: number; blue: Side; green: Side }
  | { kind: "stage"; share: number }
  | { kind: "restart" };

/** Anything that counters may say: empty, huge, more errors than requests, with latencies and slices or without. */
function sides(most: number): fc.Arbitrary<Side> {
  const count = fc.oneof(
    { weight: 3, arbitrary: fc.nat(50) },
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat(most) },
  );
  const latency = fc
    .array(fc.tuple(fc.nat(BUCKETS - 1), count), { maxLength: 6 })
    .map((pairs) => buckets(Object.fromEntries(pairs)));
  const slices = fc.array(fc.nat(50), { minLength: SLICES, maxLength: SLICES });
  return fc.record({
    requests: count,
    errors: count,
    latency: fc.option(latency, { nil: undefined }),
    slices: fc.option(slices, { nil: undefined }),
  });
}

/** Events in any order; a tick mostly lasts 2 s, sometimes up to `longest` milliseconds. */
export function events(most = 1e6, maxLength = 60, longest = 400_000): fc.Arbitrary<Event[]> {
  const ms = fc.oneof({ weight: 5, arbitrary: fc.constant(TICK_MS) }, fc.integer({ min: 1, max: longest }));
  const tick = fc.record({ kind: fc.constant("tick" as const), ms, blue: sides(most), green: sides(most) });
  const stage = fc.record({
    kind: fc.constant("stage" as const),
    share: fc.constantFrom(0, 0.01, 0.05, 0.5, 1),
  });
  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: tick },
      { weight: 2, arbitrary: stage },
      { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
    ),
    { maxLength },
  );
}

/** Lets an event happen that begins at `at`; when it is over. */
export function happen(comparison: Comparison, event: Event, at: number): number {
  if (event.kind === "stage") comparison.stage(at, event.share);
  else if (event.kind === "restart") comparison.restart();
  else {
    const tick: ComparisonTick = { at: at + event.ms, ms: event.ms, blue: event.blue, green: event.green };
    comparison.observe(tick);
    return tick.at;
  }
  return at;
}

export const HOUR_TICKS = (3600 * 1000) / TICK_MS;

/** Strengths that may be asked for, in the tests of what blue's scatter allows. */
export const STRENGTHS = [1, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.12, 0.07, 0.04];

/** Strength of each bet on odds after so many ticks of blue, when green has so many requests a second. */
export function strengthsAfter(
  known: Forgiveness,
  ticks: number,
  blue: (tick: number) => Side,
  { green, perSecond = 20 }: { green?: (tick: number) => Side; perSecond?: number } = {},
): number[] {
  for (let tick = 1; tick <= ticks; tick++) known.observe(tick * TICK_MS, TICK_MS, blue(tick), green?.(tick));
  const into = new Float64Array(ODDS.length);
  const whole = ODDS.map(() => 1);
  known.strengths(ODDS, whole, STRENGTHS, perSecond, into);
  return [...into];
}
