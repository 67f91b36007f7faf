import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PlanInput } from "../../src/core/flag/plan.ts";
import {
  api,
  audit,
  isolatesServe,
  LONG_MS,
  planned,
  playsInFrozenTime,
  put,
  run,
  topics,
} from "../control/rollout-parts.ts";

playsInFrozenTime();

const stage = { duration: 60, minRequests: 20 };
const PLAN: PlanInput = {
  stages: [
    { ...stage, percentage: 10, exit: [{ signOff: "owner", what: "The owner agrees" }] },
    { ...stage, percentage: 50, approval: "manual" },
    { ...stage, percentage: 100 },
  ],
};
const post = (command: string, body?: unknown) => api("POST", `/flags/shop/${command}`, body);
const last = async () => (await audit()).at(-1)!;

describe("the commands of a rollout", { timeout: LONG_MS }, () => {
  it("answer with where the rollout is then and the etag of the flag, and isolates get it", async () => {
    await put(planned({ plan: { ...PLAN, start: "manual" } }));
    const steps: [string, unknown, Record<string, unknown>, number][] = [
      ["start", undefined, { phase: "progressing", stage: 0, served: 10 }, 10],
      ["pause", { reason: "lunch" }, { phase: "paused", served: 10 }, 10],
      ["advance", {}, { status: 409 }, 10],
      ["resume", {}, { phase: "progressing", stage: 0, served: 10 }, 10],
      ["promote", { force: true }, { phase: "progressing", stage: 2, served: 100 }, 100],
      ["restart", {}, { phase: "progressing", stage: 0, served: 10 }, 10],
      ["instant", { reason: "hotfix" }, { phase: "completed", served: 100 }, 100],
      ["rollback", { mode: "gradual" }, { phase: "rollingBack", served: 50 }, 50],
      ["rollback", {}, { phase: "halted", served: 0 }, 0],
      ["restart", {}, { phase: "progressing", stage: 0, served: 10 }, 10],
      ["rollback", { mode: "kill" }, { phase: "halted", served: 0 }, 0],
    ];
    for (const [command, body, expected, percent] of steps) {
      const answer = await post(command, body);
      expect({ command, ...answer.body }).toMatchObject({ command, ...expected });
      if (answer.status === 200) expect((await api("GET", "/flags/shop")).body.etag).toBe(answer.etag);
      else expect(answer.status).toBe(409);
      expect({ command, ...(await isolatesServe()) }).toMatchObject({ command, percent });
    }
    expect((await isolatesServe()).stop).toBe("kill");
    expect(await api("POST", "/flags/shop/resume", { reason: "over" })).toMatchObject({ status: 200 });
    expect(await isolatesServe()).toMatchObject({ percent: 10, stop: undefined });
    expect(await api("GET", "/flags/shop/rollout")).toMatchObject({
      status: 200,
      body: { phase: "progressing", stage: 0, percentage: 10, halts: [] },
    });
  });

  it("write down who gave them, by which way, and why", async () => {
    await put(planned({ plan: PLAN }));
    await post("pause", { by: "ann", reason: "lunch" });
    expect(await last()).toMatchObject({
      action: "pause",
      who: "test-admin (ann)",
      how: "api",
      reason: "pause by test-admin (ann): lunch",
    });
    expect(await api("POST", "/flags/shop/resume", { by: "bob", reason: "back" })).toMatchObject({
      status: 200,
    });
    expect(await last()).toMatchObject({ action: "resume", who: "test-admin (bob)", reason: "back" });
    await exports.default.fetch("http://localhost/_greenlight/api/flags/shop/sign-off", {
      method: "POST",
      headers: { authorization: "Bearer test-token-0123456789abcdef", "x-greenlight-client": "cli" },
      body: JSON.stringify({ role: "owner", by: "olga", reason: "read it" }),
    });
    expect(await last()).toMatchObject({
      action: "sign-off",
      who: "test-admin (olga)",
      how: "cli",
      reason: "read it",
      figures: { role: "owner" },
    });
    await run(60);
    await run(60);
    expect(await post("approve", { by: "cy" })).toMatchObject({ status: 200, body: { stage: 1 } });
    expect(await last()).toMatchObject({ action: "approve", who: "test-admin (cy)", percentage: 50 });
    await post("rollback", { by: "dan", reason: "odd" });
    expect((await topics()).filter((topic) => topic === "approval")).toHaveLength(2);
    const answer = await api("GET", "/audit?flag=shop&limit=1");
    expect(answer.body).toMatchObject({
      entries: [{ action: "rollback", who: "test-admin (dan)", flag: "shop" }],
    });
  });

  it("that cannot be obeyed now say so in words, and change nothing", async () => {
    await put(planned({ plan: PLAN }));
    const { body: before } = await api("GET", "/flags/shop/rollout");
    const refusals: [string, unknown, string, string][] = [
      ["start", {}, "already-running", "restart begins it anew"],
      ["approve", {}, "not-awaiting-approval", "Nothing waits for an approval"],
      ["promote", {}, "gates-not-passed", "0 of 20 requests have come"],
      ["sign-off", { role: "janitor" }, "no-such-role", "it asks for owner"],
    ];
    for (const [command, given, refusal, words] of refusals) {
      const { status, body } = await post(command, given);
      expect({ command, status, ...body }).toMatchObject({
        command,
        status: 409,
        type: "urn:greenlight:problem:rollout-refused",
        refusal,
      });
      expect(body.detail).toContain(words);
    }
    expect((await api("GET", "/flags/shop/rollout")).body).toEqual(before);
    expect((await last()).action).toBe("stage");
  });

  it("of a flag that is not in the spec, or in no form that they have, are not understood", async () => {
    await put(planned({ plan: PLAN }));
    const type = (name: string) => `urn:greenlight:problem:${name}`;
    expect(await api("POST", "/flags/cart/pause")).toMatchObject({
      status: 404,
      body: { type: type("unknown-flag") },
    });
    expect(await api("GET", "/flags/cart/rollout")).toMatchObject({
      status: 404,
      body: { type: type("unknown-flag") },
    });
    expect(await post("dance")).toMatchObject({ status: 404, body: { type: type("not-found") } });
    const bad: [string, unknown][] = [
      ["rollback", { mode: "sideways" }],
      ["promote", { force: "yes" }],
      ["pause", { force: true }],
      ["pause", { by: "x".repeat(101) }],
      ["sign-off", {}],
      ["approve", []],
    ];
    for (const [command, body] of bad)
      expect({ command, ...(await post(command, body)) }).toMatchObject({ command, status: 400 });
    expect((await api("POST", "/flags/no%20name/pause")).status).toBe(400);
    expect((await api("GET", "/flags/shop/history?limit=0")).status).toBe(400);
  });

  it("are obeyed for those with the token only", async () => {
    await put(planned({ plan: PLAN }));
    for (const path of ["/flags/shop/pause", "/flags/shop/rollback", "/events", "/gauges", "/alerts"]) {
      const answer = await exports.default.fetch(`http://localhost/_greenlight/api${path}`, {
        method: "POST",
      });
      expect({ path, status: answer.status }).toEqual({ path, status: 401 });
    }
    expect((await isolatesServe()).percent).toBe(10);
  });
});

describe("what a rollout says of itself", { timeout: LONG_MS }, () => {
  it("is by what people have switched it off and what lifts that; no command brings green then", async () => {
    await put(planned({ plan: PLAN }));
    await put(planned({ plan: PLAN }, { enabled: false }));
    const { body } = await api("GET", "/flags/shop/rollout");
    expect(body).toMatchObject({
      phase: "progressing",
      percentage: 10,
      served: 0,
      why: "The global switch is off: everybody is on blue",
    });
    expect(body.waitsFor).toContain('"enabled": true in the document');
    expect(new Set(body.waitsFor as string[]).size).toBe((body.waitsFor as string[]).length);
    for (const [command, given] of [
      ["advance"],
      ["instant"],
      ["restart"],
      ["promote", { force: true }],
    ] as const)
      expect(await post(command, given)).toMatchObject({ status: 409, body: { refusal: "flag-stopped" } });
    expect((await post("resume")).body.detail).toContain("The global switch is off");
    expect((await post("rollback")).status).toBe(200);
  });

  it("is which cohorts are switched off, while the rollout goes on", async () => {
    const [first, ...others] = PLAN.stages;
    const plan = { stages: [{ ...first!, cohort: "beta" }, ...others] };
    const off = { "canary.cohort.beta.enabled": { state: "off" as const } };
    await put(planned({ plan, cohorts: { beta: { percentage: 5 } } }, { flags: off }));
    expect((await api("GET", "/flags/shop/rollout")).body).toMatchObject({
      phase: "progressing",
      why: "canary.cohort.beta.enabled is off: its visitors are on blue",
    });
  });

  it("is plain where a body is no JSON, and where a flag to resume is not there", async () => {
    await put(planned({ plan: PLAN }));
    const headers = { authorization: "Bearer test-token-0123456789abcdef" };
    const at = "http://localhost/_greenlight/api/flags/shop/pause";
    const answer = await exports.default.fetch(at, { method: "POST", headers, body: "reason=lunch" });
    expect(await answer.json()).toMatchObject({ status: 400, detail: "The body is not JSON." });
    expect(await api("POST", "/flags/nothing/resume")).toMatchObject({ status: 404 });
  });

  it("names the sign-offs that can be given now, however much else is wanting", async () => {
    const entry = [{ signOff: "owner", what: "The owner agrees" }];
    const stages = [
      { ...stage, percentage: 10 },
      { ...stage, percentage: 50, entry },
    ];
    await put(planned({ plan: { stages } }));
    const { body } = await api("GET", "/flags/shop/rollout");
    expect(body.waitsFor).toEqual(
      expect.arrayContaining(["0 of 20 requests have come", "owner has to sign off: The owner agrees"]),
    );
  });
});

describe("the history of a flag", { timeout: LONG_MS }, () => {
  it("has its last rollouts, the newest first, with stages, counts, outcome and reason", async () => {
    await put(planned({ plan: PLAN }));
    await run(20, { requests: 30, errors: 2 });
    await post("rollback", { by: "ann", reason: "odd" });
    await post("restart");
    const { body } = await api("GET", "/flags/shop/history");
    expect(body.rollouts).toMatchObject([
      {
        rollout: 2,
        outcome: null,
        endedAt: null,
        who: "test-admin",
        stages: [{ stage: 0, percentage: 10, requests: null }],
      },
      {
        rollout: 1,
        outcome: "rolledBack",
        reason: "immediate rollback by test-admin (ann): odd",
        stages: [{ stage: 0, percentage: 10, requests: 30, failures: 2 }],
      },
    ]);
    expect((await api("GET", "/flags/shop/history?limit=1")).body.rollouts).toHaveLength(1);
    expect((await api("GET", "/flags/cart/history")).body).toEqual({ rollouts: [], next: null });
  });
});

describe("a percentage set through the API", { timeout: LONG_MS }, () => {
  it("is in the audit log with who set it, and the plan goes on from there", async () => {
    await put(planned({ plan: { stages: PLAN.stages.map(({ percentage }) => ({ ...stage, percentage })) } }));
    const text = planned({
      plan: { stages: PLAN.stages.map(({ percentage }) => ({ ...stage, percentage })) },
      percentage: 20,
    });
    const { etag } = await api("GET", "/document");
    const written = await exports.default.fetch(
      "http://localhost/_greenlight/api/document?by=ann&reason=faster",
      {
        method: "PUT",
        headers: { authorization: "Bearer test-token-0123456789abcdef", "if-match": etag! },
        body: text,
      },
    );
    expect(written.status).toBe(200);
    expect(await last()).toMatchObject({
      action: "percentage",
      who: "test-admin (ann)",
      how: "api",
      previous: "progressing 10 %",
      next: "progressing 20 %",
      percentage: 20,
      reason: "Set by hand to 20 %; it goes on at 50 %: faster",
    });
    expect((await isolatesServe()).percent).toBe(20);
    await run(60);
    expect((await isolatesServe()).percent).toBe(50);
  });
});
