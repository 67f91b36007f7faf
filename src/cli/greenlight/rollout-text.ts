/** A rollout as people read it in a terminal. */
import type { GateView, RolloutView } from "../../core/api/views.ts";
import type { Output, Paint } from "./output.ts";
import { count, pairs, percent, span, table, when } from "./table.ts";
import { afterRollout } from "./way-on.ts";

/** Characters of a bar. */
const BAR = 20;
const MS = 1000;

/** A verdict as one sign. */
export function verdictSign(paint: Paint, verdict: string): string {
  if (verdict === "healthy") return paint.green("✓");
  return verdict === "unhealthy" ? paint.red("✗") : paint.yellow("…");
}

/** A phase in its colour. */
export function phaseText(paint: Paint, phase: string): string {
  const colour = {
    progressing: paint.cyan,
    completed: paint.green,
    awaitingApproval: paint.yellow,
    paused: paint.yellow,
    halted: paint.red,
    rollingBack: paint.red,
  }[phase];
  return colour ? colour(phase) : paint.dim(phase);
}

/** A share of something as a bar, 0 to 100. */
export function bar(percentage: number): string {
  const full = Math.round((Math.min(Math.max(percentage, 0), 100) / 100) * BAR);
  return "█".repeat(full) + "░".repeat(BAR - full);
}

/** `2/4 friendly_gp`; empty without a plan. */
export function stageText({ stage, stages }: RolloutView): string {
  if (stages.length === 0) return "";
  const at = stages[stage];
  const name = at?.name ?? at?.cohort ?? "";
  return `${stage + 1}/${stages.length}${name ? ` ${name}` : ""}`;
}

/** One rollout: where it is, its gates, and what it waits for. */
export function rolloutText(out: Output, view: RolloutView, now: number): string {
  const { paint } = out;
  const minimum = view.minRequests > 0 ? ` of ${count(view.minRequests)}` : "";
  const lines = [
    pairs(out, [
      ["flag", paint.bold(view.flag)],
      ["release", view.release],
      ["phase", phaseText(paint, view.phase)],
      ["why", view.why],
      ["plan", view.plan],
      ["stage", stageText(view)],
      ["green", `${bar(view.served)} ${percent(view.served)} served, ${percent(view.percentage)} planned`],
      ["cohorts", view.cohorts?.join(", ")],
      ["started", view.startedAt === 0 ? null : when(view.startedAt, now)],
      ["in stage", view.stage < 0 ? null : `${span(view.elapsed * MS)} of ${span(view.duration * MS)}`],
      ["bake", view.baked === null ? null : `${span(view.baked * MS)} of ${span(view.bake * MS)}`],
      ["requests", `${count(view.requests)}${minimum}`],
      ["signed off", view.signOffs.map(({ role, who }) => `${role} by ${who}`).join(", ")],
    ]),
  ];
  const gates = [
    ...view.exit.map((gate) => ["leave", gate] as const),
    ...view.entry.map((g) => ["next", g] as const),
  ];
  if (gates.length > 0) lines.push("", gateTable(out, gates));
  if (view.waitsFor.length > 0) lines.push("", "Waits for:", ...view.waitsFor.map((what) => `  • ${what}`));
  const on = afterRollout(view);
  if (on !== undefined) lines.push("", `→ ${on}`);
  return lines.join("\n");
}

/** Gates, one a line. */
export function gateTable(out: Output, gates: readonly (readonly [what: string, gate: GateView])[]): string {
  const rows = gates.map(([to, gate]) => [
    verdictSign(out.paint, gate.verdict),
    to,
    gate.what,
    gate.sentence === gate.what ? "" : gate.sentence,
  ]);
  return table(out, ["", "to", "gate", "now"], rows);
}
