import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Running, startServe } from "../../src/cli/serve.ts";
import type { AuditEntry, FlagView } from "../../src/control/controller-api.ts";
import type { DocumentInput, FlagInput } from "../../src/core/flag/schema.ts";
import { ask } from "../support/ask.ts";
import { eventually } from "../support/given.ts";
import { Origin } from "../support/origin.ts";
import { api, status } from "../support/status.ts";

/** Share of requests that fail, of every hundred, by flag: a path is a flag's. */
const FAILING: Record<string, { blue: number; green: number }> = {
  worse: { blue: 1, green: 30 },
  rehearsed: { blue: 1, green: 30 },
  outage: { blue: 60, green: 60 },
  looping: { blue: 0, green: 0 },
};
const FLAGS = Object.keys(FAILING);

/** New visitors of each flag in a wave, and milliseconds from wave to wave: some 50 a second. */
const WAVE = 10;
const WAVES_MS = 200;
/** One client that tries again and again, so often, milliseconds. */
const LOOP_MS = 330;
/** Evidence needs 5 s, a tick 9 s until it is compared, and some tens of failures; the rest is for a slow machine. */
const DECIDED_MS = 45_000;

let router: Running;
let origins: { blue: Origin; green: Origin };
let stopped = false;
let traffic: Promise<unknown> = Promise.resolve();
/** The client in the loop, one whom green serves. */
let looping = "";
let loops = 0;

function visit(flag: string, session: string): Promise<string> {
  return ask(router.url, { path: `/${flag}/page`, headers: { cookie: `session=${session}` } }).then(
    ({ text }) => text,
  );
}

async function crowd(): Promise<void> {
  for (let n = 0; !stopped; n += WAVE) {
    const wave = Array.from({ length: WAVE }, (_, i) => FLAGS.map((flag) => visit(flag, `v${n + i}`)));
    await Promise.all([...wave.flat(), sleep(WAVES_MS)]);
  }
}

async function loop(): Promise<void> {
  for (; !stopped; loops++) await Promise.all([visit("looping", looping), sleep(LOOP_MS)]);
}

/** An origin that fails as evenly as the table says, and whenever the client in the loop comes. */
async function origin(name: "blue" | "green"): Promise<Origin> {
  const started = await Origin.start(name);
  const asked: Record<string, number> = {};
  started.handler = (req, res) => {
    const flag = req.url!.split("/")[1]!;
    const n = (asked[flag] ?? 0) + 1;
    asked[flag] = n;
    const fails = (n * 37) % 100 < (FAILING[flag]?.[name] ?? 0);
    const isLooping = looping !== "" && req.headers.cookie === `session=${looping}` && flag === "looping";
    res.writeHead(fails || isLooping ? 500 : 200).end(name);
  };
  return started;
}

beforeAll(async () => {
  const [blue, green] = await Promise.all([origin("blue"), origin("green")]);
  origins = { blue, green };
  const flagOf = (name: string): FlagInput => ({
    state: "canary",
    percentage: 50,
    release: "2.1.0",
    stickBy: "cookie:session",
    rules: [{ metric: "evidence" }],
    dryRun: name === "rehearsed",
    // Breakers would keep visitors away from a green that fails: this is about those who get there.
    route: { paths: [`/${name}/*`], blue: blue.url, green: green.url, breaker: { failureThreshold: 1000 } },
  });
  const flags: DocumentInput["flags"] = Object.fromEntries(FLAGS.map((name) => [name, flagOf(name)]));
  router = await startServe({ flags: JSON.stringify({ flags }), bundle: inject("bundle") });
  await eventually(DECIDED_MS, async () => {
    for (let i = 0; i < 20 && looping === ""; i++) {
      if ((await visit("looping", `loop${i}`)) === "green") looping = `loop${i}`;
    }
    expect(looping).not.toBe("");
  });
  traffic = Promise.all([crowd(), loop()]);
});
afterAll(async () => {
  stopped = true;
  await traffic;
  await router.stop();
  await Promise.all([origins.blue.stop(), origins.green.stop()]);
});

async function flag(name: string): Promise<FlagView> {
  return (await status(router)).flags.find((view) => view.name === name)!;
}

async function audited(action: string): Promise<AuditEntry[]> {
  const { entries } = JSON.parse((await api(router, "/audit?limit=200")).text) as { entries: AuditEntry[] };
  return entries.filter((entry) => entry.action === action);
}

describe("with visitors of all kinds on their way", () => {
  test("a green that fails 30 % of them where blue fails 1 % is halted by evidence", async () => {
    const { halt, comparison, trace } = await eventually(DECIDED_MS, async () => {
      const view = await flag("worse");
      expect(view.halt).not.toBeNull();
      return view;
    });
    expect(halt).toMatchObject({ rule: "evidence >= 1000", release: "2.1.0" });
    expect(halt!.reason).toMatch(/Green fails \d.* visitor-minutes, blue .*: evidence .*, halting at 1,000/);
    expect(comparison!.peer).toBe("blue");
    expect(trace.length).toBeGreaterThan(2);
    await eventually(DECIDED_MS, async () => expect(await visit("worse", "v1")).toBe("blue"));
  });

  test("a dry run says so, once, and goes on", async () => {
    const { wouldHalt } = await eventually(DECIDED_MS, async () => {
      const view = await flag("rehearsed");
      expect(view.wouldHalt).not.toBeNull();
      return view;
    });
    expect(wouldHalt).toMatchObject({ rule: "evidence >= 1000", release: "2.1.0" });
    const entries = await audited("would-halt");
    expect(entries.map((entry) => entry.flag)).toEqual(["rehearsed"]);
    expect(await flag("rehearsed")).toMatchObject({ halt: null, share: 50_000 });
  });

  test("neither an outage that both share nor one client in a retry loop halts anything", async () => {
    // As long as the others have needed, and some more.
    await eventually(DECIDED_MS, () => expect(loops).toBeGreaterThan(60));
    const { halts } = await status(router);
    expect(halts.map((halt) => halt.flag)).toEqual(["worse"]);
    const outage = await flag("outage");
    expect(outage.comparison!.evidence).toBeLessThan(1000);
    const errors = (view: FlagView) =>
      view.rows.filter((row) => row.variant === "green").reduce((n, row) => n + row.errors, 0);
    expect(errors(outage)).toBeGreaterThan(100);
    expect(errors(await flag("looping"))).toBeGreaterThan(30);
  });
});
