/**
 * Shadow: green gets a copy of what blue serves, and its answer is counted and thrown away. Only requests without a
 * body are copied: a copied body would hold back the visitor's own.
 */
import { SHADOW_COHORT } from "../core/analysis/tally.ts";
import { Attempt, discard } from "./attempt.ts";
import type { Choice } from "./choice.ts";
import { outcomeOfStatus } from "./failure.ts";
import { ask, type Passage } from "./forward.ts";
import { OWN } from "./headers.ts";
import type { Recorder } from "./recorder.ts";

/** Nobody waits for a copy, so nothing but `waitUntil` keeps it alive, which ends at 30 s; milliseconds. */
const LONGEST_MS = 20_000;

/** Sends the copy beside the visitor's request, under `waitUntil`. Never throws, and nobody waits for it. */
export function mirror(passage: Passage, choice: Choice, recorder: Recorder, now: number): void {
  const { lane, visitor, decision } = choice;
  const headers = new Headers(passage.headers);
  headers.set(OWN.variant, "green");
  headers.set(OWN.cohort, SHADOW_COHORT);
  const attempt = new Attempt(lane.row("green", SHADOW_COHORT, "match"), now, visitor, decision.bucket);
  recorder.begin(attempt);
  const answered = ask(
    { ...passage, headers, held: true },
    attempt,
    lane.green,
    Math.min(lane.timeoutMs, LONGEST_MS),
  ).then((answer) => {
    const outcome =
      typeof answer === "string" ? answer : outcomeOfStatus(answer.status, lane.route.errorStatuses);
    recorder.close(attempt, outcome, Date.now(), lane.slowAfterMs);
    if (typeof answer !== "string") discard(answer);
  });
  passage.ctx.waitUntil(answered);
}
