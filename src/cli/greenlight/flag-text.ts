/** Flags as people read them in a terminal. */
import type { FlagListView, FlagSpecView } from "../../core/api/views.ts";
import type { Flag, State } from "../../core/flag/schema.ts";
import type { Output, Paint } from "./output.ts";
import { pairs, percent, table, when } from "./table.ts";
import { afterFlag } from "./way-on.ts";

/** A state in its colour. */
export function stateText(paint: Paint, state: State | string): string {
  const colour = { on: paint.green, canary: paint.yellow, shadow: paint.cyan, kill: paint.red }[
    state as string
  ];
  return colour ? colour(state) : paint.dim(state);
}

/** All flags as a table. */
export function flagTable(out: Output, { flags, enabled, revision, faults }: FlagListView): string {
  const { paint } = out;
  const rows = flags.map((view) => [
    view.faults.length > 0 ? `${view.name} ${paint.red("✗")}` : view.name,
    askedText(paint, view),
    stateText(paint, view.effective),
    percent(view.served),
    view.flag?.route ? view.flag.release : "",
    view.why ?? "",
  ]);
  const lines = [
    flags.length === 0
      ? "No flags."
      : table(out, ["flag", "asked for", "counts as", "served", "release", "why"], rows),
  ];
  if (!enabled) lines.push(paint.red("The global switch is off: everything goes to blue."));
  for (const { path, message } of faults) lines.push(`${paint.red("✗")} ${path}: ${message}`);
  lines.push(paint.dim(`revision ${revision}`));
  return lines.join("\n");
}

function askedText(paint: Paint, { flag }: FlagSpecView): string {
  if (!flag) return paint.red("faulty");
  // What the plan has reached is told as what is served.
  if (flag.state === "canary" && flag.plan && flag.percentage === 0)
    return `${stateText(paint, "canary")} by plan`;
  return flag.state === "canary"
    ? `${stateText(paint, "canary")} ${percent(flag.percentage)}`
    : stateText(paint, flag.state);
}

/** Names of cohorts, with the share of those that have one: it is not in the flag's own percentage. */
function cohortsText(cohorts: Flag["cohorts"]): string {
  return Object.entries(cohorts)
    .map(([name, { percentage }]) => (percentage ? `${name} ${percent(percentage)}` : name))
    .join(", ");
}

/** One flag, all that matters of it. */
export function flagText(out: Output, view: FlagSpecView, now: number): string {
  const { paint } = out;
  const { flag, faults } = view;
  const overrides = flag
    ? Object.keys(flag.overrides.users).length + Object.keys(flag.overrides.tenants).length
    : 0;
  const lines = pairs(out, [
    ["flag", paint.bold(view.name)],
    ["description", flag?.description],
    ["asked for", askedText(paint, view)],
    ["counts as", stateText(paint, view.effective)],
    ["served", percent(view.served)],
    ["why", view.why],
    ["release", flag?.route ? flag.release : null],
    ["route", flag?.route ? `${flag.route.hosts.join(", ")}  ${flag.route.paths.join(", ")}` : null],
    ["kind", flag?.kind],
    ["owner", flag?.owner],
    ["depends on", flag?.dependencies.join(", ")],
    ["environments", flag?.environments.join(", ")],
    ["cohorts", flag ? cohortsText(flag.cohorts) : null],
    ["plan", flag?.plan ? (flag.plan.name ?? `${flag.plan.stages.length} stages`) : null],
    ["overrides", overrides > 0 ? String(overrides) : null],
    ["notes", flag?.notes],
    ["playbook", flag?.playbook],
    ["changed", view.updatedAt === null ? null : when(view.updatedAt, now)],
  ]);
  const on = afterFlag(view);
  return [
    lines,
    ...(on === undefined ? [] : [`→ ${on}`]),
    ...faults.map((f) => `${paint.red("✗")} ${f.path}: ${f.message}`),
  ].join("\n");
}
