/** Where a flag's rollout is and what it waits for, as people and the API read it. */
import type { Finding } from "../core/analysis/rules.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { Gate } from "../core/flag/plan.ts";
import { type Missing, missingAtEntry, missingAtExit, seconds } from "../core/rollout/missing.ts";
import type { Look, Progress } from "../core/rollout/progress.ts";
import type { Halt } from "../core/rollout/snapshot.ts";
import { dwellOf, nameOfStage, nextStage, percentOf, stageOf } from "../core/rollout/stages.ts";
import { wayOf } from "../core/rollout/stopping.ts";
import type { GateView, RolloutView } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { haltsOf, type Rollout, servedShare } from "./rollout.ts";
import { cohortSwitchesOff, switchedOff } from "./switched-off.ts";

/** The rollout of a flag; undefined for one that the spec does not name. Reads only. */
export function rolloutView(decisions: Decisions, name: string, now: number): RolloutView | undefined {
  const { rollout, rollouts, watch } = decisions;
  const flag = rollout.flags.get(name);
  if (!flag) return undefined;
  const progress = rollouts.of(name);
  const { plan } = progress;
  const stage = stageOf(progress);
  const dwell = dwellOf(progress);
  const next = nextStage(progress);
  const { look } = watch.peek(name, flag, now);
  const off = switchedOff(rollout, name);
  const halts = haltsOf(rollout, name, flag.release);
  return {
    flag: name,
    revision: rollout.revision,
    phase: progress.phase,
    release: progress.release,
    plan: plan?.name ?? null,
    stage: progress.stage,
    stages: (plan?.stages ?? []).map(({ name, cohort, percentage }) => ({
      name: name ?? null,
      cohort: cohort ?? null,
      percentage: percentage ?? null,
    })),
    percentage: progress.share / SHARE_PER_PERCENT,
    served: servedShare(rollout, name) / SHARE_PER_PERCENT,
    cohorts: progress.cohorts ?? null,
    startedAt: progress.startedAt,
    stageAt: progress.stageAt,
    elapsed: Math.floor(progress.elapsedMs / 1000),
    duration: dwell.duration,
    baked: progress.bakedMs === undefined ? null : Math.floor(progress.bakedMs / 1000),
    bake: stage?.bake ?? 0,
    requests: look.requests,
    minRequests: dwell.minRequests,
    exit: gateViews(stage?.exit ?? [], look.exit, progress),
    entry: gateViews(next === undefined ? [] : (plan?.stages[next]?.entry ?? []), look.entry, progress),
    validation: progress.validation,
    approval: stage?.approval ?? "auto",
    signOffs: progress.signOffs,
    waitsFor: [...new Set([...(off ? [off.lift] : []), ...waitsFor(progress, look)])],
    why: off?.why ?? progress.why ?? cohortsOff(rollout, name, halts) ?? null,
    rollback: progress.rollback ?? null,
    halts,
    selected: Object.fromEntries(
      Object.entries(rollout.selected.get(name) ?? {}).map(([cohort, tenants]) => [cohort, tenants.length]),
    ),
    wanting: rollout.wanting.get(name) ?? [],
  };
}

/** What has to come before the rollout goes on, in sentences, some of them twice; empty when nothing is under way. */
function waitsFor(progress: Progress, look: Look): string[] {
  const { phase, plan, stage } = progress;
  switch (phase) {
    case "idle":
      return plan && progress.state === "canary" ? ["the command start"] : [];
    case "paused":
    case "halted":
      return ["the command resume"];
    case "rollingBack":
      return [wayDown(progress)];
    case "awaitingApproval":
      return [`an approval of ${nameOfStage(plan!, stage)}`, ...sentences(missingAtExit(progress, look))];
    case "progressing": {
      if (!plan) return [];
      const exit = progress.ordered ? [] : missingAtExit(progress, look);
      if (exit.length === 0) return waitsAtTheDoor(progress, look);
      // What people can do at the next door they can do now.
      const next = nextStage(progress);
      const entry = next === undefined ? [] : missingAtEntry(progress, next, look.entry);
      const words = progress.stage < 0 ? entry : entry.filter(({ kind }) => kind === "word");
      return sentences([...exit, ...words]);
    }
    case "completed":
      return [];
    default:
      return phase satisfies never;
  }
}

/** Why some cohorts are on blue while the rollout goes on; undefined when none is. */
function cohortsOff(rollout: Rollout, name: string, halts: readonly Halt[]): string | undefined {
  const halted = halts.filter(({ cohort }) => cohort !== undefined).map(({ reason }) => reason);
  const off = cohortSwitchesOff(rollout, name).map((one) => `${one} is off: its visitors are on blue`);
  const all = [...off, ...halted];
  return all.length > 0 ? all.join("; ") : undefined;
}

/** What comes next on the way down. */
function wayDown(progress: Progress): string {
  const { descent, share } = progress;
  if (!descent) return "the way down; resume stops it where it is";
  const { target, pointsPerMinute, watchedMs } = descent;
  if (share > target)
    return `the way down to ${percentOf(target)}, ${pointsPerMinute} points a minute; resume stops it where it is`;
  const watchMs = wayOf(progress).watch * 1000;
  const left = Math.max(0, watchMs - watchedMs);
  return `${seconds(left)} of ${seconds(watchMs)} of watching at ${percentOf(share)}: a green that is healthy then stays there, another goes down further; resume stops it where it is`;
}

/** What has to come before the next stage opens, where the present one may be left. */
function waitsAtTheDoor(progress: Progress, look: Look): string[] {
  const { plan, bakedMs = 0, ordered, validation } = progress;
  const next = nextStage(progress);
  const waits: string[] = [];
  const bakeMs = (stageOf(progress)?.bake ?? 0) * 1000;
  if (!ordered && bakedMs < bakeMs)
    waits.push(`${seconds(bakeMs - bakedMs)} of ${seconds(bakeMs)} of bake are left`);
  if (next === undefined) return waits;
  waits.push(...sentences(missingAtEntry(progress, next, look.entry)));
  if (validation === "waiting")
    waits.push(`the requests before ${nameOfStage(plan!, next)}, which are being tried on green`);
  return waits;
}

function sentences(missing: readonly Missing[]): string[] {
  return missing.map(({ sentence }) => sentence);
}

/** Gates with what was found about each; findings may be more than gates, as of a stage's `maxErrorRate`. */
function gateViews(
  gates: readonly Gate[],
  findings: readonly (Finding | undefined)[],
  { signOffs }: Progress,
): GateView[] {
  const views = gates.map((gate, i): GateView => {
    if (!("signOff" in gate)) return viewOf(findings[i]);
    const given = signOffs.find(({ role }) => role === gate.signOff);
    return {
      what: `${gate.signOff}: ${gate.what}`,
      verdict: given ? "healthy" : "insufficient",
      sentence: given ? `Signed off by ${given.who}` : `Not signed off by ${gate.signOff} yet`,
      figures: given ? { at: given.at } : {},
    };
  });
  return [...views, ...findings.slice(gates.length).map(viewOf)];
}

function viewOf(finding: Finding | undefined): GateView {
  if (!finding) return { what: "gate", verdict: "unmeasured", sentence: "Not looked at yet", figures: {} };
  const { rule, verdict, sentence, figures } = finding;
  return { what: rule, verdict, sentence, figures };
}
