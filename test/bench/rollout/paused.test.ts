/** Promises of what goes on while a rollout is paused or nothing is told: nothing is missed, and nothing counts that was not seen. */
import { expect, test, vi } from "vitest";
import { documentWith, START } from "../../../bench/rollout/stories.ts";
import { snapshotOf } from "../../../src/control/rollout.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { Rule } from "../../../src/core/flag/schema.ts";
import { effectiveFlags } from "../../../src/core/rollout/effective.ts";
import { Rig } from "./rig.ts";

vi.spyOn(console, "log").mockImplementation(() => {});

const well = (rig: Rig) => () => rig.send({ requests: 100 });
const badly = (rig: Rig) => () => rig.send({ requests: 100, errors: 30 });
const plan = { stages: [{ percentage: 10, duration: 86_400 }, { percentage: 100 }] };
type RuleInputs = Partial<Rule> & { metric: Rule["metric"] };
const rulesOf = (...rules: RuleInputs[]) => ({ plan, rules: rules as Rule[] });

test("a security alert while somebody has paused is told, once, and what has paused itself is not told again", async () => {
  const rig = await new Rig().put(
    rulesOf(
      { metric: "event_count", event: "security_alert", atLeast: 1, action: "pause" },
      { metric: "error_rate", above: 0.1, action: "pause" },
    ),
  );
  await rig.run(60, well(rig));
  await rig.run(30, badly(rig));
  expect(rig.at).toBe("paused 10");
  const push = { kind: "events", events: [{ flag: "shop", event: "security_alert" }] } as const;
  await rig.controller.ingest({ ...push, events: [...push.events] }, rig.now);
  rig.evict();
  await rig.run(120, badly(rig));
  expect(rig.told("pause")).toHaveLength(1);
  expect(rig.told("alert")).toEqual(["security_alert came 1 time in 60 s; the limit is 1"]);
  await rig.order({ name: "resume" });
  await rig.run(30, badly(rig));
  expect(rig.told("pause")).toHaveLength(2);
});

test("what must hold without a break has none while it is paused", async () => {
  const exit = [{ metric: "slos", set: "all", are: "met", for: 600 } as const];
  const slos = { all: [{ metric: "error_rate", atMost: 0.01 } as const] };
  const rig = await new Rig().put({
    slos,
    rules: [],
    plan: { stages: [{ percentage: 10, exit }, { percentage: 100 }] },
  });
  await rig.run(400, well(rig));
  await rig.order({ name: "pause" });
  await rig.run(200, badly(rig));
  await rig.run(60, well(rig));
  await rig.order({ name: "resume" });
  await rig.run(590, well(rig));
  expect(rig.at).toBe("progressing 10");
  await rig.run(20, well(rig));
  expect(rig.progress.stage).toBe(1);
});

test("a breach of five minutes does not count the hour in which no isolate reported", async () => {
  const rig = await new Rig().put(
    rulesOf({ metric: "error_rate", above: 0.1, for: 300, action: "pause" } as RuleInputs),
  );
  await rig.run(200, badly(rig));
  for (let i = 0; i < 360; i++) {
    rig.now += 10_000;
    await rig.controller.alarm(rig.now);
  }
  // 190 s, and 50 more until the last minute held nothing of it.
  await rig.run(60, badly(rig));
  expect(rig.at).toBe("progressing 10");
  await rig.run(10, badly(rig));
  expect(rig.at).toBe("paused 10");
});

test.each([
  [600_000, "halted 5"],
  [600_001, "progressing 5"],
])(
  "without a plan a release begins when green gets its first percent: an alert after %i ms",
  async (ms, at) => {
    const rules = [{ metric: "alerts", labels: { severity: "critical" }, atLeast: 1, within: 600 } as const];
    const rig = await new Rig().put({ rules: [...rules] });
    rig.now = START + 3_600_000;
    await rig.put({ rules: [...rules], percentage: 5 });
    rig.now += ms;
    const alert = { fingerprint: "a", name: "Down", labels: { severity: "critical" }, startsAt: rig.now };
    await rig.controller.ingest({ kind: "alerts", alerts: [{ ...alert, status: "firing" }] }, rig.now);
    expect(rig.at).toBe(at);
  },
);

test("what sticks to a release does so when its flag was taken out of the document in between", async () => {
  const other = JSON.stringify({ flags: { other: { state: "on" } } });
  const rig = await new Rig().put({ plan, rules: [] });
  await rig.run(60, well(rig));
  await rig.order({ name: "rollback", mode: "immediate" });
  expect(rig.at).toBe("halted 10");
  await rig.putText(other);
  rig.now += 60_000;
  await rig.put({ plan, rules: [] });
  expect(rig.at).toBe("halted 0");
  expect((await rig.order({ name: "resume" })).ok).toBe(true);
  await rig.run(10, well(rig));
  expect(rig.at).toBe("progressing 10");
});

test("a way down without a plan is published, so that no isolate on its own serves the percentage of the document", async () => {
  const rig = await new Rig().put({ percentage: 40, rules: [] });
  await rig.run(60, well(rig));
  await rig.order({ name: "rollback", mode: "gradual" });
  const { rollout } = rig.controller.decisions;
  const parsed = parseDocument(documentWith({ percentage: 40, rules: [], notes: "on our way down" }));
  const [alone] = effectiveFlags({
    snapshot: snapshotOf(rollout, rig.now),
    document: { hash: "edited", revision: undefined, parsed },
    kill: "",
    heardAt: 0,
    now: rig.now,
  });
  expect(alone).toMatchObject({ name: "shop", share: 20_000 });
});
