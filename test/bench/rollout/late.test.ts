/** Promises of alarms that come late, twice, or after a day of outage, to the product's own decisions in plain Node. */
import { expect, test, vi } from "vitest";
import { PlainController } from "../../../bench/rollout/plain.ts";
import { play, type Story } from "../../../bench/rollout/play.ts";
import { documentWith, FLAG, START } from "../../../bench/rollout/stories.ts";
import type { Minute, Trace } from "../../../bench/rollout/trace.ts";
import type { PlanInput } from "../../../src/core/flag/plan.ts";
import { verifyChain } from "../../../src/core/rollout/audit-chain.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** One look counts at most so much, milliseconds. */
const MOST_MS = 120_000;

vi.spyOn(console, "log").mockImplementation(() => {});

const steady: Minute = { requests: 600, blueFailures: 0, greenFailures: 0, ms: 80 };
const well = (minutes: number): Trace => Array.from({ length: minutes }, () => steady);

/** Three stages of five minutes, the second with an approval. */
const PLAN: PlanInput = {
  stages: [
    { percentage: 10, duration: 300, minRequests: 100 },
    { percentage: 50, duration: 300, approval: "manual" },
    { percentage: 100, duration: 300 },
  ],
};

function story(more: Partial<Story> = {}, plan: PlanInput = PLAN): Story {
  const trace = more.trace ?? well(60);
  const base = { flag: FLAG, text: documentWith({ plan }), start: START, stepMs: 20_000 };
  return { ...base, from: 0, to: trace.length, ...more, trace };
}

const at = (minute: number) => START + minute * MINUTE_MS;
const progressOf = (controller: PlainController) => controller.decisions.rollouts.of(FLAG);
const stagesOf = (controller: PlainController) =>
  controller.decisions.history.read(FLAG, 1)[0]!.stages.map(({ stage }) => stage);

async function playedTo(minute: number, more: Partial<Story> = {}, plan = PLAN): Promise<PlainController> {
  const controller = new PlainController();
  await play(controller, story({ ...more, to: minute }, plan));
  return controller;
}

test("after a day of outage an alarm counts two minutes at most, and nothing without telemetry", async () => {
  const controller = await playedTo(3);
  const before = progressOf(controller);
  await controller.alarm(at(3) + DAY_MS);
  const after = progressOf(controller);
  expect(after).toMatchObject({ phase: "progressing", stage: 0, share: 10_000, elapsedMs: before.elapsedMs });
  expect(after.inStageMs - before.inStageMs).toBe(MOST_MS);
});

test("after a day of outage the first forward counts two minutes at most, and enters no stage that is not due", async () => {
  const controller = await playedTo(2);
  expect(progressOf(controller).elapsedMs).toBe(120_000);
  const day = 24 * 60;
  const gone = (minute: number): Minute | undefined =>
    minute < 2 ? steady : minute < day ? undefined : steady;
  const trace = Array.from({ length: day + 5 }, (_, minute) => gone(minute));
  const other = await playedTo(day + 1, { trace, alarmless: (minute) => minute >= 2 && minute < day });
  // Two minutes before the outage, two for the outage, and what of the first minute after it comes after the first word.
  expect(progressOf(other)).toMatchObject({ stage: 0, elapsedMs: 2 * MOST_MS + 40_000 });
  const later = await playedTo(day + 2, { trace, alarmless: (minute) => minute >= 2 && minute < day });
  expect(progressOf(later).stage).toBe(1);
});

test("an alarm that comes twice is one", async () => {
  const controller = await playedTo(4);
  await controller.alarm(at(4) + 10_000);
  const once = structuredClone(progressOf(controller));
  const records = controller.decisions.audit.read({ limit: 100 }).length;
  await controller.alarm(at(4) + 10_000);
  await controller.alarm(at(4) + 10_000);
  expect(progressOf(controller)).toEqual(once);
  expect(controller.decisions.audit.read({ limit: 100 })).toHaveLength(records);
});

test("an alarm enters one stage at most, though all of them are open and it is a day late", async () => {
  const open: PlanInput = {
    stages: [10, 20, 30, 40, 100].map((percentage) => ({ percentage, duration: 60 })),
  };
  const before = await playedTo(2, {}, open);
  const { stage } = progressOf(before);
  expect(stage).toBe(2);
  // The first two minutes again, then a day without anything, then one look.
  const minutes = 2 + 24 * 60;
  const trace: Trace = Array.from({ length: minutes + 1 }, (_, m) =>
    m < 2 || m === minutes ? steady : undefined,
  );
  const late = new PlainController();
  let looks = 0;
  const enough = () => late.decisions.heardAt > at(minutes) && ++looks > 0;
  await play(late, story({ trace, alarmless: (m) => m >= 2 && m < minutes }, open), enough);
  expect(looks).toBe(1);
  expect(progressOf(late)).toMatchObject({ stage: stage + 1, share: 40_000 });
});

test("a day of alarms gives no approval, and one that comes late still needs the gates", async () => {
  const trace: Trace = [...well(20), ...Array.from({ length: 30 }, () => undefined)];
  const controller = await playedTo(20, { trace });
  expect(progressOf(controller)).toMatchObject({ phase: "awaitingApproval", stage: 1, share: 50_000 });
  for (let hour = 1; hour <= 24; hour++) await controller.alarm(at(20) + hour * 60 * MINUTE_MS);
  expect(progressOf(controller)).toMatchObject({ phase: "awaitingApproval", stage: 1, share: 50_000 });
  const approve = {
    flag: FLAG,
    command: { name: "approve" },
    who: "bob",
    how: "cli",
    reason: "back again",
  } as const;
  const refused = await controller.command(approve, at(20) + DAY_MS + 1000);
  expect(refused).toMatchObject({ ok: false, reason: "gates-not-passed" });
});

test.each([
  ["every third", (minute: number) => minute % 3 !== 0],
  ["none but one in ten minutes", (minute: number) => minute % 10 !== 0],
  ["none at all, for forwards are looks as well", () => true],
])("alarms that fail (%s) move no stage: each is entered in turn and at its time", async (_, alarmless) => {
  const regular = await playedTo(30, { approveAfter: 1 });
  const irregular = await playedTo(30, { approveAfter: 1, alarmless });
  expect(stagesOf(irregular)).toEqual([0, 1, 2]);
  expect(irregular.decisions.history.read(FLAG, 1)).toEqual(regular.decisions.history.read(FLAG, 1));
});

test("a controller that dies after every step decides the same, tells each thing once, and its chain holds", async () => {
  const regular = await playedTo(25, { approveAfter: 1, stepMs: 60_000 });
  let mortal = new PlainController();
  const dying: PlainController = new Proxy(mortal, {
    get(_, name) {
      const value: unknown = Reflect.get(mortal, name, mortal);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(value, mortal, args);
        if (name === "alarm") mortal = new PlainController(mortal);
        return result;
      };
    },
  });
  await play(dying, story({ approveAfter: 1, stepMs: 60_000, to: 25 }));
  const recordsOf = (controller: PlainController) =>
    controller.decisions.audit
      .read({ limit: 100 })
      .map(({ action, next, reason }) => ({ action, next, reason }));
  expect(recordsOf(mortal)).toEqual(recordsOf(regular));
  const sentences = (controller: PlainController) =>
    [...controller.told.values()].map(({ sentence }) => sentence);
  expect(sentences(mortal)).toEqual(sentences(regular));
  const copy = mortal.decisions.audit.read({ limit: 100 }).toReversed();
  expect(verifyChain(copy)).toMatchObject({ ok: true });
});
