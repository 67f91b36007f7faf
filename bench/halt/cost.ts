/** What a tick costs the detector, and how big its state is: on ticks drawn beforehand, so that only it is timed. */
import { atMost, type Figure } from "../figure.ts";
import { median } from "../statistics.ts";
import type { DetectorModule } from "./contenders.ts";
import type { Detector } from "./plug.ts";
import { CASES } from "./scenarios.ts";
import { Stream } from "./streams.ts";

/** An hour of history and some hours of rollout. */
const TICKS = 10_000;
const HISTORY_HOURS = 1;
/** The first rounds let the compiler settle. */
const ROUNDS = 7;

/** Asked for: microseconds a tick of both cohorts, and bytes. */
const ASKED = { errors: 5, histograms: 40, state: 16_000 };

interface Cohort {
  requests: number;
  errors: number;
  latency: Uint32Array | undefined;
}

interface Tick {
  startMs: number;
  endMs: number;
  staged: boolean;
  share: number;
  blue: Cohort;
  green: Cohort;
  slices: Uint16Array;
}

export function cost(own: DetectorModule): Figure[] {
  const plain = measure(own, "a/a week 5 %");
  const timed = measure(own, "latency a/a");
  const micros = (n: number) => `${n.toFixed(2)} µs`;
  const note = `median of ${ROUNDS} rounds of ${TICKS} ticks, 50 requests a second`;
  const figures = [
    atMost("a tick with errors", plain.micros, ASKED.errors, micros, note),
    atMost("a tick with errors and histograms", timed.micros, ASKED.histograms, micros, note),
  ];
  if (own.stateBytes)
    figures.push(
      atMost(
        "state, serialised",
        own.stateBytes(timed.detector),
        ASKED.state,
        (n) => `${n} bytes`,
        "after these ticks",
      ),
    );
  return figures;
}

function measure({ create }: DetectorModule, name: string): { micros: number; detector: Detector } {
  const scenario = CASES.find((one) => one.name === name)!;
  const ticks = drawn(
    new Stream({ ...scenario, historyHours: HISTORY_HOURS }, 0),
    scenario.latency !== undefined,
  );
  const plannedShare = scenario.stages[0]!.share;
  let detector = create({ plannedShare });
  const rounds = Array.from({ length: ROUNDS }, () => {
    detector = create({ plannedShare });
    const started = performance.now();
    for (const { startMs, endMs, staged, share, blue, green, slices } of ticks) {
      if (staged) detector.onStage(startMs, share);
      detector.observe(endMs, "blue", blue.requests, blue.errors, blue.latency, { shardErrors: slices });
      if (share > 0) detector.observe(endMs, "green", green.requests, green.errors, green.latency);
    }
    return ((performance.now() - started) / TICKS) * 1000;
  });
  return { micros: median(rounds), detector };
}

function drawn(stream: Stream, timed: boolean): Tick[] {
  const copy = ({ requests, errors, latency }: Stream["blue"]): Cohort => ({
    requests,
    errors,
    latency: timed ? latency.slice() : undefined,
  });
  return Array.from({ length: TICKS }, () => {
    stream.next();
    const { startMs, endMs, staged, share, blue, green } = stream;
    return {
      startMs,
      endMs,
      staged,
      share,
      blue: copy(blue),
      green: copy(green),
      slices: blue.slices.slice(),
    };
  });
}
