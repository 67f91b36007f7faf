/** Promises that hold for any events at any times: late, repeated, out of order, a day apart. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  Command,
  Look,
  Progress,
  RolloutEvent,
  SpecOf,
  Transition,
} from "../../../src/core/rollout/progress.ts";
import {
  greenShare,
  newProgress,
  nextStage,
  shareOfStage,
  transition,
} from "../../../src/core/rollout/transition.ts";
import { finding, HOUR, looked, planOf, steps } from "./player.ts";

const gate = { metric: "error_rate" as const, atMost: 0.01 };
const PLANS = [
  undefined,
  steps(5, 10, 25, 50),
  steps(10, 50, 100),
  planOf({
    stages: [
      { shadow: true, percentage: 0, duration: 60 },
      { cohort: "staff", percentage: 0.5, exit: [{ signOff: "qa", what: "tested" }] },
      { cohort: "beta", entry: [gate] },
      { percentage: 20, approval: "manual", bake: 60, validate: [{ path: "/" }], maxDuration: 600 },
      { percentage: 100, minRequests: 50 },
    ],
    stalledAfter: 300,
    rollback: { watch: 60, halvings: 2 },
  }),
  planOf({ stages: [{ percentage: 20, entry: [gate], duration: 60 }], start: "manual" }),
];

/** The first one `weight` times as often as each of the others. */
const often = <T>(first: T, weight: number, ...others: T[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(first) }, ...others.map((o) => fc.constant(o)));
const spec: fc.Arbitrary<SpecOf> = fc.record({
  state: often("canary", 14, "on", "off", "shadow", "kill"),
  release: often("1", 5, "2"),
  asked: often(0, 8, 700, 7000, 20_000, 100_000),
  plan: fc.constantFrom(...PLANS),
  blueCapacity: fc.constantFrom(undefined, { pointsPerMinute: 3 }),
});
const verdict = often<Look["verdict"]>("healthy", 9, "unhealthy", "insufficient", "unmeasured");
const found = verdict.map((v) => finding(v));
const look = fc
  .record({
    verdict,
    requests: often(1000, 3, 0, 49, 50),
    exit: fc.array(found, { maxLength: 2 }),
    entry: fc.array(found, { minLength: 1, maxLength: 1 }),
  })
  .map(looked);
const named = (name: "start" | "pause" | "resume" | "approve" | "advance" | "instant" | "restart") => ({
  name,
});
const command = fc.oneof<fc.Arbitrary<Command>[]>(
  fc.constant(named("resume")),
  fc.constant(named("approve")),
  fc.constantFrom(named("start"), named("restart"), named("pause"), named("advance")),
  fc.constantFrom({ name: "signOff", role: "qa" }),
  fc.constantFrom<Command[]>(
    named("instant"),
    { name: "promote", force: false },
    { name: "promote", force: true },
    { name: "rollback", mode: "gradual" },
    { name: "rollback", mode: "gradual" },
    { name: "rollback", mode: "immediate" },
    { name: "rollback", mode: "kill" },
  ),
);
const looking = fc.record({
  type: fc.constant("look" as const),
  look,
  stopped: often(false, 9, true),
});
const event: fc.Arbitrary<RolloutEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("spec" as const), spec }) },
  { weight: 60, arbitrary: looking },
  {
    weight: 18,
    arbitrary: fc.record({
      type: fc.constant("command" as const),
      command,
      who: fc.constant("ada"),
      reason: fc.constant("because"),
      look: fc.option(look, { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("rule" as const),
      action: fc.constantFrom("alert", "pause", "reduce", "rollback"),
      rule: fc.constant("r"),
      sentence: fc.constant("green fails"),
      cohort: fc.constantFrom(undefined, undefined, "beta"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("validated" as const),
      key: fc.constant("now"),
      passed: fc.boolean(),
      sentence: fc.constant("tried"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: "removed" as const }) },
);
const passing = often(60_000, 8, 0, 1, 2000, 120_000, HOUR, 24 * HOUR, -2000, -HOUR);
const firstSpec = fc
  .tuple(spec, fc.constantFrom(...PLANS))
  .map(([s, plan]): RolloutEvent => ({ type: "spec", spec: { ...s, plan, state: "canary" } }));
const story = fc
  .tuple(firstSpec, fc.array(fc.tuple(event, passing), { minLength: 1, maxLength: 60, size: "max" }))
  .map(([first, rest]): [RolloutEvent, number][] => [[first, 0], ...rest]);

/** Plays a story; `each` sees every step that was taken. */
function play(
  events: [RolloutEvent, number][],
  each: (before: Progress, e: RolloutEvent, now: number, t: Transition) => void,
): Progress {
  let progress = newProgress();
  let now = 1_000_000_000;
  for (const [given, ms] of events) {
    now += ms;
    // Most answers are to what was asked last.
    const e = given.type === "validated" ? { ...given, key: progress.validationKey ?? "none" } : given;
    const t = transition(progress, e, now);
    each(progress, e, now, t);
    if (t.ok) progress = t.progress;
  }
  return progress;
}
const always = (check: Parameters<typeof play>[1]) =>
  fc.assert(
    fc.property(story, (events) => {
      play(events, check);
    }),
    { numRuns: 150 },
  );
const json = <T>(x: T): T => JSON.parse(JSON.stringify(x));

describe("whatever happens to a rollout", () => {
  it("has the same end when it is played again, also from what was written down", () => {
    always((before, e, now, t) => {
      const written = JSON.stringify(before);
      expect(json(transition(json(before), json(e), now))).toEqual(json(t));
      expect(JSON.stringify(before)).toBe(written);
    });
  });

  it("goes up by a look only to the next stage, in a stage that goes on, with telemetry", () => {
    always((before, e, _now, t) => {
      if (!t.ok || e.type !== "look" || greenShare(t.progress) <= greenShare(before)) return;
      expect(before.phase).toBe("progressing");
      expect(e.look.verdict).not.toBe("unmeasured");
      expect(e.look.verdict === "unhealthy" && !before.ordered).toBe(false);
      expect(e.stopped).toBe(false);
      const next = nextStage(before)!;
      expect(t.progress.stage).toBe(next);
      expect(t.progress.share).toBe(shareOfStage(before.plan!, next));
    });
  });

  it("never goes up by a rule, a pause, a rollback or a refusal", () => {
    always((before, e, _now, t) => {
      if (!t.ok) return;
      const lowers =
        e.type === "rule" ||
        e.type === "removed" ||
        (e.type === "command" && ["pause", "rollback", "approve", "signOff"].includes(e.command.name));
      if (lowers) expect(greenShare(t.progress)).toBeLessThanOrEqual(greenShare(before));
    });
  });

  it("never has more green than its stage, a hand or an order allows", () => {
    let ordered = 0;
    fc.assert(
      fc.property(story, (events) => {
        ordered = 0;
        play(events, (before, e, _now, t) => {
          if (!t.ok) return;
          const { progress } = t;
          if (e.type === "spec") {
            const fresh = before.state !== e.spec.state || before.release !== e.spec.release;
            const other = fresh || (before.plan === undefined) !== (e.spec.plan === undefined);
            if (other) ordered = 0;
            if (e.spec.state === "on") ordered = 100_000;
            if (other || e.spec.asked !== before.asked) ordered = Math.max(ordered, e.spec.asked);
          }
          if (e.type === "command" && ["instant", "promote"].includes(e.command.name)) ordered = 100_000;
          if (e.type === "command" && ["start", "restart", "resume"].includes(e.command.name))
            ordered = Math.max(ordered, progress.asked);
          const staged = progress.plan ? shareOfStage(progress.plan, progress.stage) : 0;
          const kept = Math.max(before.share, before.descent?.from ?? 0);
          const raised = greenShare(progress) > greenShare(before);
          if (raised && e.type !== "command")
            expect(progress.share).toBeLessThanOrEqual(Math.max(staged, ordered));
          if (raised) expect(progress.share).toBeLessThanOrEqual(Math.max(staged, ordered, kept));
          expect(Number.isInteger(progress.share) && progress.share >= 0 && progress.share <= 100_000).toBe(
            true,
          );
        });
      }),
      { numRuns: 150 },
    );
  });

  it("never rises by an edit of the plan", () => {
    always((before, e, _now, t) => {
      if (!t.ok || e.type !== "spec") return;
      const { state, release, asked, plan } = e.spec;
      const same = state === before.state && release === before.release && asked === before.asked;
      if (!same || !plan || !before.plan || before.phase === "idle") return;
      expect(t.progress.share).toBeLessThanOrEqual(before.share);
    });
  });

  it("stays halted until somebody lifts it or another release comes", () => {
    always((before, e, _now, t) => {
      if (!t.ok || before.phase !== "halted" || t.progress.phase === "halted") return;
      if (e.type === "command") expect(["resume", "restart", "start", "instant"]).toContain(e.command.name);
      // In a state in which nobody is on green there is nothing to halt; the halt stands for when there is again.
      else if (e.type === "spec" && (e.spec.state === "canary" || e.spec.state === "on"))
        expect(
          e.spec.release !== before.release || e.spec.state !== before.state || before.standing.length === 0,
        ).toBe(true);
      else if (e.type === "spec") expect(t.progress.standing).toEqual(before.standing);
      else expect(e.type).toBe("removed");
    });
  });

  it("keeps a halted release at nothing, also when another one was named in between", () => {
    always((_before, _e, _now, t) => {
      if (!t.ok) return;
      const { progress } = t;
      const out = progress.standing.some(
        (s) =>
          s.cohort === undefined &&
          (s.action === "kill" || (s.action === "rollback" && s.release === progress.release)),
      );
      if (!out) return;
      expect(greenShare(progress)).toBe(0);
      expect(["halted", "idle"]).toContain(progress.phase);
    });
  });

  it("learns nothing from a look that it has had", () => {
    always((_before, e, now, t) => {
      if (!t.ok || e.type !== "look") return;
      const again = transition(t.progress, e, now);
      expect(again).toEqual({ ok: true, progress: t.progress, effects: [] });
    });
  });

  it("counts a step for everything from which something follows, and publishes what isolates see", () => {
    always((before, _e, _now, t) => {
      if (!t.ok) return;
      expect(t.progress.step - before.step).toBe(t.effects.length > 0 ? 1 : 0);
      const seen = (p: Progress) => JSON.stringify([p.share, p.cohorts, p.phase, p.stage]);
      const published = t.effects.filter((e) => e.type === "publish").length;
      if (seen(before) !== seen(t.progress)) expect(published).toBe(1);
      const percentages = t.effects.filter((e) => e.type === "tell" && e.topic === "percentage").length;
      expect(percentages).toBe(greenShare(before) === greenShare(t.progress) ? 0 : 1);
    });
  });

  it("begins and ends each rollout of the history once, in turn", () => {
    fc.assert(
      fc.property(story, (events) => {
        const marks: string[] = [];
        const end = play(events, (_before, _e, _now, t) => {
          if (!t.ok) return;
          for (const e of t.effects) if (e.type === "history" && e.what !== "stage") marks.push(e.what);
        });
        marks.forEach((what, i) => {
          expect(what).toBe(i % 2 === 0 ? "started" : "ended");
        });
        expect(end.open).toBe(marks.length % 2 === 1);
        expect(end.rollout).toBe(Math.ceil(marks.length / 2));
      }),
      { numRuns: 150 },
    );
  });

  it("never counts more time than has passed", () => {
    always((before, _e, now, t) => {
      if (!t.ok) return;
      const passed = Math.max(0, now - before.lookedAt);
      const { progress } = t;
      if (progress.stageAt === before.stageAt)
        expect(progress.elapsedMs - before.elapsedMs).toBeLessThanOrEqual(Math.min(passed, 120_000));
      expect(progress.lookedAt).toBeGreaterThanOrEqual(before.lookedAt);
    });
  });
});
