/** Promises of counts against their own history: what comes as ever never fires, what comes more often does. */
import { expect, test, vi } from "vitest";
import type { Rule } from "../../../src/core/flag/schema.ts";
import { Rig } from "./rig.ts";

vi.spyOn(console, "log").mockImplementation(() => {});

const plan = { stages: [{ percentage: 10, duration: 86_400 }, { percentage: 100 }] };

test.each([60, 300])(
  "an event that comes as often as ever in %i s does not, half as often again does",
  async (window) => {
    const rule = {
      metric: "event_count",
      event: "denied",
      above: { sigma: 3 },
      window,
      action: "pause",
    } as Rule;
    const rig = await new Rig().put({ plan, rules: [rule] });
    const come = (times: number) => async () => {
      const events = Array.from({ length: times }, () => ({ flag: "shop", event: "denied" }));
      await rig.send({ requests: 10 });
      await rig.controller.ingest({ kind: "events", events }, rig.now);
    };
    rig.now += 25_000;
    await rig.run(10 * window + 150, come(10));
    expect(rig.at).toBe("progressing 10");
    await rig.run(window, come(15));
    expect(rig.at).toBe("paused 10");
  },
);

test("an event that comes as often as the week before is not more, at whatever minute one looks; one more often is", async () => {
  const rule = {
    metric: "event_count",
    event: "escalation",
    above: { times: 1, baseline: "last_week" },
    window: 7 * 86_400,
    action: "pause",
  } as Rule;
  const slow = { stages: [{ percentage: 10, duration: 30 * 86_400 }, { percentage: 100 }] };
  const rig = await new Rig().put({ plan: slow, rules: [] });
  const hours = async (n: number, times: number) => {
    for (let i = 0; i < n; i++) {
      rig.now += 3_600_000;
      const events = Array.from({ length: times }, () => ({ flag: "shop", event: "escalation" }));
      await rig.send({ requests: 10 });
      await rig.controller.ingest({ kind: "events", events }, rig.now);
    }
  };
  rig.now += 25 * 60_000;
  await hours(15 * 24, 2);
  await rig.put({ plan: slow, rules: [rule] });
  await hours(30, 2);
  expect(rig.at).toBe("progressing 10");
  await hours(2, 5);
  expect(rig.at).toBe("paused 10");
});
