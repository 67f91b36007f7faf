/** What the alarm of the controller costs with many rollouts under way: in workerd itself, CPU from `/proc`. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bundle, makeBundle, quietWrangler, ROOT, WRANGLER } from "../../src/cli/bundle.ts";
import { type Running, startServe } from "../../src/cli/running.ts";
import { makeScratch } from "../../src/cli/scratch.ts";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import type { Figure } from "../figure.ts";
import { cpuMicros } from "../process.ts";
import { median } from "../statistics.ts";
import type { Drive, Driven } from "../workers/rollouts.ts";

/** Rollouts under way, and rounds in one measurement. */
const CASES = [
  { rollouts: 1, rounds: 200 },
  { rollouts: 50, rounds: 40 },
  { rollouts: 500, rounds: 8 },
];
/** Measurements of each case, with alarms and without in turn. */
const PAIRS = 5;
/** Rounds until the compiler has settled and a minute of counts is there. */
const WARM_ROUNDS = 20;
const RELEASE = "2.1.0";
const SHARE = 5_000;

/** Like ORCA's first stage, but for what is told from outside; long enough to stay under way. */
const ROLLOUT: Omit<FlagInput, "state"> = {
  release: RELEASE,
  plan: {
    stages: [
      {
        percentage: SHARE / 1000,
        duration: 7 * 86_400,
        minRequests: 1000,
        exit: [
          { metric: "error_rate", atMost: { plus: 0.005 } },
          { metric: "latency_p95", atMost: { plus: 100 } },
        ],
      },
      { percentage: 100 },
    ],
    rules: [
      { metric: "evidence" },
      { metric: "error_rate", above: { plus: 0.02 } },
      { metric: "latency_p95", above: { plus: 500 } },
      { metric: "latency_p95", above: { times: 1.5 } },
    ],
  },
};

export async function alarm(say: (text: string) => void): Promise<Figure[]> {
  const bundle = await drivenBundle();
  const figures: Figure[] = [];
  for (const { rollouts, rounds } of CASES) {
    say(`alarms with ${rollouts} active rollouts`);
    const running = await startServe({ bundle });
    try {
      figures.push(...(await measure(running, rollouts, rounds)));
    } finally {
      await running.stop();
    }
  }
  return figures;
}

async function measure(running: Running, rollouts: number, rounds: number): Promise<Figure[]> {
  const flags = Array.from({ length: rollouts }, (_, i) => `shop-${i}`);
  const common = { flags, release: RELEASE, share: SHARE };
  const text = documentOf(flags);
  await drive(running, { ...common, text, rounds: WARM_ROUNDS, alarms: true });
  const costs: number[] = [];
  let driven: Driven = { active: 0, rowsRead: 0, rowsWritten: 0 };
  for (let pair = 0; pair < PAIRS; pair++) {
    const without = await cpuOf(running, { ...common, rounds, alarms: false });
    const within = await cpuOf(running, { ...common, rounds, alarms: true });
    costs.push((within.cpuMicros - without.cpuMicros) / rounds / 1000);
    driven = within.driven;
  }
  const { active } = await drive(running, { ...common, rounds: 0, alarms: false });
  if (active !== rollouts) throw new Error(`${active} of ${rollouts} rollouts are still under way`);
  const of = `${rollouts} active ${rollouts === 1 ? "rollout" : "rollouts"}`;
  const ms = median(costs);
  const read = driven.rowsRead / rounds;
  const written = driven.rowsWritten / rounds;
  const note = `median of ${PAIRS}, ${rounds} alarms each; ${Math.min(...costs).toFixed(2)} to ${Math.max(...costs).toFixed(2)}`;
  return [
    { name: `alarm, ${of}, CPU`, value: `${ms.toFixed(2)} ms`, number: ms, note },
    { name: `alarm, ${of}, rows read`, value: read.toFixed(1), number: read, note: "mean" },
    {
      name: `alarm, ${of}, rows written`,
      value: written.toFixed(1),
      number: written,
      note: "mean, indexes included",
    },
  ];
}

async function cpuOf(running: Running, drives: Drive): Promise<{ cpuMicros: number; driven: Driven }> {
  const before = cpuMicros(running.pid);
  const driven = await drive(running, drives);
  return { cpuMicros: cpuMicros(running.pid) - before, driven };
}

async function drive(running: Running, drives: Drive): Promise<Driven> {
  const response = await fetch(`${running.isolates[0]}/__bench/drive`, {
    method: "POST",
    body: JSON.stringify(drives),
  });
  if (!response.ok) throw new Error(`the door says ${response.status}: ${await response.text()}`);
  return (await response.json()) as Driven;
}

function documentOf(names: readonly string[]): string {
  const flags = names.map((name) => {
    const route = { hosts: [`${name}.example`], blue: "http://127.0.0.1:9", green: "http://127.0.0.1:9" };
    return [name, { state: "canary", route, ...ROLLOUT } satisfies FlagInput];
  });
  return JSON.stringify({ flags: Object.fromEntries(flags) });
}

/** The product's settings with the Worker that can be driven as its entry. */
async function drivenBundle(): Promise<Bundle> {
  const { dir } = await makeScratch(tmpdir());
  const entry = join(import.meta.dirname, "../workers/rollouts.ts");
  const args = [WRANGLER, "deploy", entry, "--dry-run", "--outdir", dir];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: quietWrangler() });
  return { ...(await makeBundle()), dir, modules: ["rollouts.js"] };
}
