/** The status as people and the API read it, put together from the controller's memory. */
import { quantileMs } from "../core/analysis/histogram.ts";
import type { Judgement } from "../core/analysis/judge.ts";
import type { Sums } from "../core/analysis/sums.ts";
import { type RowKey, rowId, type Tally } from "../core/analysis/tally.ts";
import { isKilled } from "../core/rollout/kill.ts";
import type { InFlight } from "../core/wire/messages.ts";
import type { FlagView, RowView, StatusView, VerdictView } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { haltOf, servedShare } from "./rollout.ts";
import { rolloutView } from "./rollout-view.ts";

/** What the status is made from besides the decisions. */
interface Moment {
  kvReadAt: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Is a scheduled pull set up? */
  pulls: boolean;
}

/** The whole status. Reads only. */
export function statusOf(decisions: Decisions, moment: Moment): StatusView {
  const { rollout, sums } = decisions;
  const { now } = moment;
  const shards = sums.shards();
  const awake = sums.awake(now);
  const rows = rowsByFlag(sums, now);
  const names = [...new Set([...rollout.flags.keys(), ...rows.keys()])].sort();
  return {
    revision: rollout.revision,
    at: now,
    enabled: rollout.enabled,
    specHash: rollout.specHash,
    spec: decisions.store.text() ?? null,
    kill: rollout.kill,
    kvReadAt: moment.kvReadAt,
    faults: rollout.faults,
    halts: rollout.halts,
    flags: names.map((name) => flagView(name, rows.get(name) ?? [], decisions, now)),
    isolates: awake.reduce((n, shard) => n + shard.isolates, 0),
    lost: shards.reduce((n, shard) => n + shard.lost, 0),
    sampling: Math.min(1, ...awake.map((shard) => shard.sampling)),
    shards: shards.map(({ shard, version, seenAt, isolates, lost }) => ({
      shard,
      version,
      seenAt,
      isolates,
      lost,
    })),
    pull: moment.pulls ? { failingSince: decisions.store.pullState()?.failingSince ?? null } : null,
  };
}

function flagView(name: string, rows: RowView[], decisions: Decisions, now: number): FlagView {
  const { rollout, comparisons, watch } = decisions;
  const flag = rollout.flags.get(name);
  const status = rollout.status.get(name);
  const killed = isKilled(rollout.kill, name) || flag?.state === "kill";
  const halt = flag ? haltOf(rollout, name, flag.release) : undefined;
  const compared = comparisons.of(name);
  const checked = flag?.healthCheck && decisions.telemetryOf(name, now);
  const comparison = compared?.view();
  return {
    name,
    state: flag?.state ?? "removed",
    release: flag?.release ?? null,
    percentage: flag?.percentage ?? 0,
    share: servedShare(rollout, name),
    generation: status?.generation ?? null,
    killed,
    halt: halt ?? null,
    verdict: halt
      ? { verdict: "unhealthy", rule: halt.rule, sentence: halt.reason, figures: halt.figures }
      : flag && (flag.state === "canary" || flag.state === "on")
        ? verdictView(watch.judgement(name, flag, now))
        : null,
    wouldHalt: (flag?.dryRun && compared?.wouldHalt[0]) || null,
    comparison: comparison ?? null,
    trace: compared?.trace.points ?? [],
    rows,
    rollout: rolloutView(decisions, name, now) ?? null,
    health: {
      blue: checked?.health("blue") ?? null,
      green: checked?.health("green") ?? null,
    },
  };
}

function verdictView({ verdict, rule, sentence, figures }: Judgement): VerdictView {
  return { verdict, rule, sentence, figures };
}

function rowsByFlag(sums: Sums, now: number): Map<string, RowView[]> {
  const waiting = new Map<RowKey, InFlight>();
  for (const shard of sums.awake(now)) {
    for (const { row, count, oldestMs } of shard.inFlight) {
      const known = waiting.get(row);
      const oldest = Math.max(oldestMs, known?.oldestMs ?? 0);
      waiting.set(row, { row, count: count + (known?.count ?? 0), oldestMs: oldest });
    }
  }
  const views = new Map<string, RowView[]>();
  const totals = sums.totals();
  for (const key of [...new Set([...totals.keys(), ...waiting.keys()])].sort()) {
    const { flag } = rowId(key);
    const rows = views.get(flag) ?? [];
    rows.push(rowView(key, totals.get(key), waiting.get(key)));
    views.set(flag, rows);
  }
  return views;
}

function rowView(key: RowKey, tally: Tally | undefined, waiting: InFlight | undefined): RowView {
  const { release, cohort, variant, placement } = rowId(key);
  const latency = tally?.latency ?? {};
  return {
    release,
    cohort,
    variant,
    placement,
    requests: tally?.requests ?? 0,
    errors: tally?.errors ?? 0,
    refused: tally?.refused ?? 0,
    connect: tally?.connect ?? 0,
    timeouts: tally?.timeouts ?? 0,
    censored: tally?.censored ?? 0,
    diverted: tally?.diverted ?? 0,
    rescued: tally?.rescued ?? 0,
    units: tally?.units ?? 0,
    unitErrors: tally?.unitErrors ?? 0,
    p50: quantileMs(latency, 0.5) ?? null,
    p95: quantileMs(latency, 0.95) ?? null,
    p99: quantileMs(latency, 0.99) ?? null,
    inFlight: waiting?.count ?? 0,
    oldestMs: waiting?.oldestMs ?? 0,
  };
}
