/** Runs detectors over one stream each, all over the same one, and counts what each had served when it halted. */
import type { Create, Detector } from "./plug.ts";
import type { Scenario } from "./scenario.ts";
import { Stream } from "./streams.ts";

/** What became of one detector in one run. */
export interface Outcome {
  halted: boolean;
  /** Milliseconds from the first stage to the halt; NaN without one. */
  atMs: number;
  /** Halted before the change: a false halt, of which the other numbers say nothing. */
  early: boolean;
  /** Green's requests and errors from the change (from the first stage without one) to the halt or the end. */
  greenRequests: number;
  greenFailures: number;
}

/** One run of the scenario for every detector, in their order. Detectors that halted see no more of it. */
export function runOnce(creates: readonly Create[], scenario: Scenario, run: number): Outcome[] {
  const stream = new Stream(scenario, run);
  const plannedShare = scenario.stages[0]!.share;
  const detectors: (Detector | undefined)[] = creates.map((create) => create({ plannedShare }));
  const outcomes = creates.map(() => ({
    halted: false,
    atMs: Number.NaN,
    early: false,
    greenRequests: 0,
    greenFailures: 0,
  }));
  const { blue, green } = stream;
  const extra = { shardErrors: blue.slices };
  const timed = scenario.latency !== undefined;
  const blueLatency = timed ? blue.latency : undefined;
  const greenLatency = timed ? green.latency : undefined;
  const changes = scenario.change !== undefined;
  let running = detectors.length;
  let requests = 0;
  let failures = 0;
  while (running > 0 && stream.next()) {
    const { endMs, share } = stream;
    const counted = changes ? stream.changed : 1;
    if (share > 0) {
      requests += counted * green.requests;
      if (counted > 0) failures += green.errors;
    }
    for (let i = 0; i < detectors.length; i++) {
      const detector = detectors[i];
      if (detector === undefined) continue;
      if (stream.staged) detector.onStage(stream.startMs, share);
      let verdict = detector.observe(endMs, "blue", blue.requests, blue.errors, blueLatency, extra);
      if (share > 0) {
        const onGreen = detector.observe(endMs, "green", green.requests, green.errors, greenLatency);
        if (verdict === "ok") verdict = onGreen;
      }
      if (verdict === "ok") continue;
      const outcome = outcomes[i]!;
      outcome.halted = true;
      outcome.atMs = endMs;
      outcome.early = changes && stream.changed === 0;
      outcome.greenRequests = requests;
      outcome.greenFailures = failures;
      detectors[i] = undefined;
      running -= 1;
    }
  }
  for (const outcome of outcomes) {
    if (outcome.halted) continue;
    outcome.greenRequests = requests;
    outcome.greenFailures = failures;
  }
  return outcomes;
}

/** Runs `run0` to `run0 + runs - 1` of one detector over one scenario. */
export function simulate(create: Create, scenario: Scenario, runs: number, run0 = 0): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < runs; i++) outcomes.push(runOnce([create], scenario, run0 + i)[0]!);
  return outcomes;
}
