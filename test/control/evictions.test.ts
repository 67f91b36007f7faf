import { abortAllDurableObjects, reset, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Tally } from "../../src/core/analysis/tally.ts";
import type { PlanInput } from "../../src/core/flag/plan.ts";
import type { DocumentInput, FlagInput } from "../../src/core/flag/schema.ts";
import { verifyChain } from "../../src/core/rollout/audit-chain.ts";
import { controller } from "./parts.ts";
import {
  api,
  audit,
  freeze,
  KEPT,
  order,
  pass,
  planned,
  put,
  ring,
  send,
  told,
  view,
} from "./rollout-parts.ts";

beforeEach(() => {
  // The receiver of these tests cannot be told yet, objects are torn out of their calls, and both say so.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

/** Every story is told again for each of its steps, milliseconds. */
const LONG_MS = 120_000;

type Step = () => Promise<unknown>;

/** Every record of the audit log is told as well. */
const notify: DocumentInput["notify"] = { ...KEPT, audit: { url: "secret:SET_LATER" } };
const reduce: NonNullable<FlagInput["rules"]> = [
  { metric: "error_rate", above: 0.1, minRequests: 20, action: "reduce" },
];
const stage = { duration: 60, minRequests: 20 };
const plan: PlanInput = {
  stages: [
    { ...stage, percentage: 10 },
    { ...stage, percentage: 40, approval: "manual", bake: 60 },
    { ...stage, percentage: 100 },
  ],
};
const bad = { requests: 20, errors: 10, visitors: [1, 2, 3] };

/** So many seconds later isolates report, and the alarm rings. */
function later(seconds: number, tally: Partial<Tally> = { requests: 30 }, release = "2.0"): Step {
  return async () => {
    pass(seconds);
    await send(tally, { release });
    await ring();
  };
}

const goesOn: Step[] = [
  () => put(planned({ plan, rules: reduce }, { notify })),
  later(60),
  () => order({ name: "pause" }, "bob"),
  () => order({ name: "resume" }, "bob"),
  later(60),
  () => order({ name: "approve" }, "ann"),
  later(20),
  later(20, bad),
  () => order({ name: "resume" }, "ann"),
  later(80),
  () => order({ name: "advance" }, "ann"),
  later(60),
];

const halts: Step[] = [
  () => put(planned({}, { notify })),
  later(60),
  later(20, bad),
  later(40, {}),
  () => put(planned({ notes: "what was that?" }, { notify })),
  () => order({ name: "resume" }, "ann"),
  () => order({ name: "rollback", mode: "kill" }, "bob"),
  () => put(planned({ release: "2.1" }, { notify })),
];

/** Plays a story with a crash of all objects before these steps, and says what came of it. */
async function outcome(story: readonly Step[], crashes: (step: number) => boolean) {
  freeze();
  for (const [i, step] of story.entries()) {
    if (crashes(i)) await abortAllDurableObjects();
    await step();
  }
  const messages = await told();
  const entries = await audit();
  expect(verifyChain(entries)).toMatchObject({ ok: true });
  expect(new Set(messages.map(({ key }) => key)).size).toBe(messages.length);
  const snapshot = (await controller().current())!;
  const history = await controller().history({ flag: "shop", limit: 10 });
  const { revision, ...where } = await view();
  await reset();
  return {
    messages: messages.sort((a, b) => (a.key < b.key ? -1 : 1)),
    entries,
    history,
    where,
    published: { revision, status: snapshot.status, halts: snapshot.halts, specHash: snapshot.specHash },
  };
}

describe("a rollout comes to the same end when all objects crash", { timeout: LONG_MS }, () => {
  it.each([
    [
      "that is paused, approved, reduced and completed",
      goesOn,
      "adopt spec rollout stage stage pause resume awaiting-approval approve bake reduce resume stage advance stage completed",
    ],
    [
      "that is halted, resumed and killed",
      halts,
      "adopt spec rollout stage stage rollback rolled-back adopt resume kill adopt spec",
    ],
  ])("before any of its steps, and before every one: a rollout %s", async (_, story, actions) => {
    const undisturbed = await outcome(story, () => false);
    const done = undisturbed.entries.map(({ action }) => action.replace(" ", "-"));
    expect(done.join(" ")).toBe(actions);
    for (let at = 1; at < story.length; at++) {
      const crashed = await outcome(story, (step) => step === at);
      expect({ at, ...crashed }).toEqual({ at, ...undisturbed });
    }
    expect(await outcome(story, () => true)).toEqual(undisturbed);
  });
});

describe("a crash", { timeout: LONG_MS }, () => {
  it.each([
    ["a kill", "kill", () => order({ name: "rollback", mode: "kill" })],
    ["an edit to off", "rollback", () => put(planned({ state: "off" }))],
  ] as const)(
    "right after %s keeps nobody from hearing of it: the alarm is enough",
    async (_, topic, step) => {
      freeze();
      await put(planned());
      await step();
      await abortAllDurableObjects();
      expect(await runDurableObjectAlarm(controller())).toBe(true);
      expect((await told()).filter((message) => message.topic === topic)).toHaveLength(1);
    },
  );

  it("does not make a gate forget that what has to hold was broken", async () => {
    const gate = { metric: "gauge", gauge: "well", atLeast: 1, for: 60 } as const;
    const stages = [{ percentage: 10, exit: [gate] }, { percentage: 100 }];
    const push = (value: number) => api("POST", "/gauges", { flag: "shop", name: "well", value });
    freeze();
    await put(planned({ plan: { stages } }));
    await push(1);
    await later(2)();
    await later(38)();
    await push(0);
    await later(2)();
    await push(1);
    await abortAllDurableObjects();
    await later(2)();
    await later(58)();
    expect(await view()).toMatchObject({ stage: 0, served: 10 });
    await later(2)();
    expect(await view()).toMatchObject({ stage: 1, served: 100 });
  });
});
