/**
 * Rollouts from the outside: a router on workerd, real origins, real receivers, and plans of seconds. Each promise has
 * a router of its own, and all run at once, for most of the time they wait for clocks.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { TOPICS } from "../../src/core/flag/notify.ts";
import { Command } from "../support/command.ts";
import { eventually, type Given, given, type ShopInput } from "../support/given.ts";
import { DOOR, type Received, ReceiverServer } from "../support/receivers.ts";
import { api, audit, history, rollout } from "../support/status.ts";
import { Traffic } from "../support/traffic.ts";

/** Enough that a tenth of them are the 20 requests of a stage within two rounds. */
const VISITORS = 120;
/** For anything that follows within seconds on a machine with nothing else to do. */
const SOON_MS = 40_000;
/** All routers at once on a machine that has much else to do. */
const LONG_MS = 120_000;
const RULES: ShopInput["rules"] = [{ metric: "error_rate", above: 0.05, minRequests: 20 }];
/** Seconds of a stage. */
const DURATION = 3;

const stage = (percentage: number) => ({ percentage, duration: DURATION, minRequests: 20 });
const PLAN = { name: "quick", stages: [stage(10), stage(50), stage(100)] };

interface Scene extends Given {
  traffic: Traffic;
  /** What the Slack channel was told so far, in order. */
  told(): Promise<{ text: string; topic: string; key: string }[]>;
  /** Bodies that the audit webhook was sent. */
  recorded(): Promise<string[]>;
}

/** A router with traffic, whose every message goes to a Slack channel, and every record to an audit webhook. */
async function scene({ onTestFinished }: TestContext, shop: ShopInput): Promise<Scene> {
  const receivers = await ReceiverServer.start();
  const g = await given(
    { rules: RULES, ...shop },
    {
      vars: { SLACK_URL: `${receivers.url}/slack` },
      more: {
        notify: {
          receivers: { ops: { type: "slack", url: "secret:SLACK_URL", channel: "#ops" } },
          routes: [{ on: [...TOPICS], to: ["ops"] }],
          audit: { url: `${receivers.url}/audit` },
        },
      },
    },
  );
  const traffic = new Traffic(g.router.url, VISITORS);
  onTestFinished(async () => {
    await traffic.stop();
    await g.stop();
    await receivers.stop();
  });
  const came = async (path: string) => {
    const answer = await fetch(`${receivers.url}${DOOR}?prefix=${path}`);
    return (await answer.json()) as Received[];
  };
  return {
    ...g,
    traffic,
    told: async () =>
      (await came("/slack")).map(({ body, headers }) => {
        const { text, blocks } = JSON.parse(body);
        const about = String(blocks[1].elements[0].text).split(" · ");
        return { text, topic: about[3]!, key: String(headers["idempotency-key"]) };
      }),
    recorded: async () => (await came("/audit")).map(({ body }) => body),
  };
}

/** Waits until the rollout is where it should be. */
function reaches(s: Given, wanted: object): Promise<void> {
  return eventually(SOON_MS, async () => expect(await rollout(s.router)).toMatchObject(wanted));
}

async function textsOf(s: Scene, topic: string): Promise<string[]> {
  return (await s.told()).filter((message) => message.topic === topic).map(({ text }) => text);
}

describe.concurrent("a plan under real traffic", { timeout: LONG_MS }, () => {
  test("goes from stage to stage by itself, takes nobody off green, and tells each percentage", async (t) => {
    const s = await scene(t, { plan: PLAN });
    await reaches(s, { phase: "completed", percentage: 100, served: 100 });
    await eventually(SOON_MS, () => expect(s.traffic.last?.green).toBe(VISITORS));
    expect(s.traffic.sum).toMatchObject({ errors: 0, left: 0 });

    await eventually(SOON_MS, async () => expect(await textsOf(s, "completed")).toHaveLength(1));
    expect(await textsOf(s, "percentage")).toEqual([
      expect.stringMatching(/^shop: Green went from 0 % to 10 %: /),
      expect.stringMatching(/^shop: Green went from 10 % to 50 %: .*stage 2 of 3/),
      expect.stringMatching(/^shop: Green went from 50 % to 100 %: .*stage 3 of 3/),
    ]);

    const [past, ...others] = await history(s.router);
    expect(others).toEqual([]);
    expect(past).toMatchObject({ rollout: 1, release: "2.1.0", plan: "quick", outcome: "completed" });
    expect(past!.stages.map(({ percentage }) => percentage)).toEqual([10, 50, 100]);
    for (const { enteredAt, leftAt, requests, failures } of past!.stages) {
      expect(leftAt! - enteredAt).toBeGreaterThanOrEqual(DURATION * 1000);
      expect(requests).toBeGreaterThanOrEqual(20);
      expect(failures).toBe(0);
    }
  });

  test("is rolled back when green fails, with the sentence and the figures", async (t) => {
    const s = await scene(t, { plan: { stages: [{ ...stage(10), duration: 1 }, stage(50)] } });
    await reaches(s, { stage: 1 });
    s.green.handler = (_req, res) => void res.writeHead(500).end("broken");
    await reaches(s, { phase: "halted", served: 0 });
    const view = await rollout(s.router);
    expect(view.why).toMatch(/^(Green|Breakers) .*\d+.* the limit is \d+ %$/);
    expect(view.halts[0]).toMatchObject({ action: "rollback", release: "2.1.0", reason: view.why });
    expect(view.halts[0]!.figures.requests).toBeGreaterThan(0);
    await eventually(SOON_MS, () => expect(s.traffic.last?.green).toBe(0));

    await eventually(SOON_MS, async () => {
      expect(await textsOf(s, "halt")).toEqual([`P2: shop: Green of 2.1.0 is out of traffic: ${view.why}`]);
      expect(await textsOf(s, "failed")).toHaveLength(1);
      expect((await textsOf(s, "percentage")).at(-1)).toBe(`shop: Green went from 50 % to 0 %: ${view.why}`);
    });
    expect((await history(s.router))[0]).toMatchObject({ outcome: "halted", reason: view.why });

    await auditHolds(t, s);
  });

  test("opens a stage only when the requests pass on green, and says which one did not", async (t) => {
    const requests = [{ path: "/ready" }, { path: "/pay?test=1", match: "paid" }];
    const s = await scene(t, {
      plan: {
        stages: [
          { ...stage(10), duration: 1 },
          { percentage: 100, validate: requests },
        ],
      },
    });
    s.green.handler = (req, res) =>
      void res.writeHead(200).end(req.url === "/pay?test=1" ? "declined" : "green");
    await reaches(s, { phase: "paused", stage: 0, served: 10, validation: "failed" });
    const { why } = await rollout(s.router);
    expect(why).toContain("/pay?test=1");
    expect(why).not.toContain("/ready");
    await eventually(SOON_MS, async () =>
      expect(await textsOf(s, "pause")).toEqual([`P3: shop: Paused at 10 %: ${why}`]),
    );

    s.green.handler = (req, res) => void res.writeHead(200).end(req.url === "/pay?test=1" ? "paid" : "green");
    expect((await api(s.router, "/flags/shop/resume", "POST")).status).toBe(200);
    await reaches(s, { phase: "completed", served: 100 });
  });

  test("opens at the trust score that is fetched, and is rolled back below another", async (t) => {
    let score = 79.9;
    const s = await scene(t, {});
    s.blue.handler = (req, res) =>
      void res.end(req.url === "/trust" ? JSON.stringify({ scores: [{ value: score }] }) : "blue");
    s.edit({
      plan: {
        stages: [
          { ...stage(10), duration: 1, exit: [{ metric: "gauge", gauge: "trust", atLeast: 80 }] },
          { ...stage(50), duration: 600 },
        ],
      },
      rules: [{ metric: "gauge", gauge: "trust", below: 75, action: "rollback" }],
      pulls: { trust: { url: `${s.blue.url}/trust`, path: "$.scores[0].value", interval: 10 } },
    });
    await eventually(SOON_MS, async () => {
      const { stage, elapsed, exit } = await rollout(s.router);
      expect({ stage, isDue: elapsed >= 1 }).toEqual({ stage: 0, isDue: true });
      expect(exit[0]?.sentence).toContain("79.9");
    });
    score = 80;
    await reaches(s, { stage: 1, served: 50 });
    score = 74.9;
    await reaches(s, { phase: "halted", served: 0 });
    expect((await rollout(s.router)).why).toContain("74.9");
  });

  test("is paused at the third failure of a health check in a row", async (t) => {
    const s = await scene(t, {
      plan: { stages: [{ percentage: 10, duration: 600 }] },
      rules: [{ metric: "health_check", atLeast: 3, action: "pause" }],
      healthCheck: { path: "/healthz", interval: 5 },
    });
    const checks = () => s.green.seen.filter(({ target }) => target === "/healthz").length;
    s.green.handler = (req, res) => void res.writeHead(req.url === "/healthz" ? 500 : 200).end("green");
    await reaches(s, { phase: "paused", served: 10 });
    expect(checks()).toBeGreaterThanOrEqual(3);
    expect((await rollout(s.router)).why).toContain("3");
    await eventually(SOON_MS, async () => expect(await textsOf(s, "health")).toHaveLength(1));
  });

  test("goes on where it was when the router is killed in the middle of each stage, and tells nothing anew", async (t) => {
    const s = await scene(t, { plan: PLAN });
    for (const [i, percentage] of [10, 50].entries()) {
      await reaches(s, { phase: "progressing", stage: i, served: percentage });
      await eventually(SOON_MS, async () =>
        expect((await rollout(s.router)).elapsed).toBeGreaterThanOrEqual(1),
      );
      await s.router.restart();
      const { stage, served } = await rollout(s.router);
      expect(stage).toBeGreaterThanOrEqual(i);
      expect(served).toBeGreaterThanOrEqual(percentage);
    }
    await reaches(s, { phase: "completed", served: 100 });
    expect(s.traffic.sum.left).toBe(0);
    await eventually(SOON_MS, async () => expect(await textsOf(s, "completed")).not.toEqual([]));

    const told = await s.told();
    // A receiver that was told just before the end may be told again, by the same key.
    const once = new Map(told.map(({ key, text }) => [key, text]));
    expect([...once.values()].filter((text) => text.includes("Green went"))).toHaveLength(3);
    expect(new Set(once.values()).size).toBe(once.size);
    const [past, ...others] = await history(s.router);
    expect(others).toEqual([]);
    expect(past!.stages.map(({ percentage }) => percentage)).toEqual([10, 50, 100]);
  });
});

/** The audit log, written out by the command, holds by itself and against the router; so does what the webhook got. */
async function auditHolds({ onTestFinished }: TestContext, s: Scene): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "audit-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const [token, copy, sent] = ["token", "audit.jsonl", "sent.jsonl"].map((name) => join(dir, name));
  await writeFile(token!, s.router.token);
  const run = async (...args: string[]) => {
    const from = ["--url", s.router.url, "--token-file", token!];
    const command = new Command("bin/greenlight.js", ["audit", ...args, ...from]);
    const code = await command.exit;
    return { code, output: command.output };
  };
  expect(await run("export", "--out", copy!)).toMatchObject({ code: 0 });
  expect(await run("verify", copy!, "--against")).toMatchObject({ code: 0 });
  const records = await audit(s.router);
  await eventually(SOON_MS, async () => expect(await s.recorded()).toHaveLength(records.length));
  await writeFile(sent!, (await s.recorded()).join("\n"));
  expect(await run("verify", sent!, "--against")).toMatchObject({ code: 0 });
}
