/** Stages of a TogetherOS deployment, as a plan: written out, or by the name of the ready-made one that they are. */
import { plan as planSchema } from "../../flag/plan.ts";
import { PLANS } from "../../flag/plans.ts";
import { isName, type Value } from "../../flag/schema.ts";
import { numberOf, percentageOf, timeOf } from "../cells.ts";
import type { Draft, Drafts } from "../drafts.ts";
import { isRecord, type Piece } from "../piece.ts";

/** Flag of a deployment where none is named. */
export const DEPLOYMENT = "deployment";

const FIELDS = ["percentage", "duration", "minRequests", "maxErrorRate"] as const;
const CURRENT = ["current", "currentDeployment", "deployment"];

/** Is this a stage? */
export function isStage(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.percentage === "number" &&
    ("duration" in value || "maxErrorRate" in value)
  );
}

/** Is this a deployment, or the file that holds one? */
export function isDeployment(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isStage);
  if (!isRecord(value)) return false;
  if (Array.isArray(value.stages) && value.stages.every(isStage)) return true;
  return (
    "currentPercentage" in value || CURRENT.some((key) => isRecord(value[key]) && isDeployment(value[key]))
  );
}

/** Reads the state of a deployment, or a bare list of stages. */
export function readDeployment(drafts: Drafts, root: Piece): void {
  const inner = CURRENT.map((key) => root.at(key)).find((piece) => isRecord(piece.value));
  const here = inner ?? root;
  const draft = drafts.of(drafts.options.flag ?? DEPLOYMENT, here);
  const stages = Array.isArray(here.value) ? here : here.at("stages");
  if (stages.isThere) readStages(draft, stages);
  if (Array.isArray(here.value)) return;
  readRelease(draft, here.any("version", "release"));
  readShare(draft, here);
  if (here.at("startedAt").isThere)
    draft.keep("startedAt", here.at("startedAt").as(timeOf(here.at("startedAt"))));
  root.at("history").lose("Deployments of the past: our history of rollouts begins with the first one here.");
  for (const key of ["metrics", "currentStage", "currentStageIndex", "stageStartedAt"])
    here.at(key).lose("The controller measures and counts by itself.");
}

function readRelease(draft: Draft, version: Piece): void {
  if (!version.isThere) return;
  const name = version.text();
  if (name === undefined || isName(name)) draft.set("release", name);
  else version.lose("A release is a name of letters, digits and . _ + -.");
}

/** What the deployment serves now. A deployment that does not run keeps its green at 0. */
function readShare(draft: Draft, here: Piece): void {
  const percentage = here.at("currentPercentage").isThere
    ? percentageOf(here.at("currentPercentage"))
    : undefined;
  const strategy = here.at("strategy");
  if (strategy.value === "canary") strategy.take();
  if (strategy.value === "instant") strategy.take();
  const share = strategy.value === "instant" ? (percentage ?? 100) : percentage;
  const status = here.at("status");
  if (share === undefined) {
    status.lose("Nothing says at which percentage it is: start it here.");
    return;
  }
  draft.set("state", "canary");
  draft.set("percentage", share);
  if (!status.isThere) return;
  const ended = status.value === "rolled_back" || status.value === "failed";
  if (ended) draft.set("percentage", 0);
  if (status.value === "paused") status.change("It goes on here: `greenlight pause` holds it.");
  else status.change(ended ? "Green is at 0." : "The controller says from here on how it stands.");
}

function readStages(draft: Draft, list: Piece): void {
  const stages = list.items().map(stageOf);
  const found = planSchema.safeParse({ stages });
  if (!found.success) {
    list.lose(`No plan: ${found.error.issues[0]?.message ?? "its stages are not understood"}.`);
    return;
  }
  const known = ["togetheros", "togetheros-custom"].find((name) => isSame(stages, name));
  draft.set("plan", known ?? { stages });
}

function stageOf(piece: Piece): { [key: string]: Value } {
  const stage: { [key: string]: Value } = {};
  for (const field of FIELDS) {
    const given = piece.at(field);
    const value = !given.isThere ? undefined : field === "percentage" ? percentageOf(given) : numberOf(given);
    if (value !== undefined) stage[field] = value;
  }
  return stage;
}

function isSame(stages: { [key: string]: Value }[], name: string): boolean {
  const found = planSchema.safeParse({ stages });
  const ready = planSchema.safeParse(PLANS[name]);
  return (
    found.success && ready.success && JSON.stringify(found.data.stages) === JSON.stringify(ready.data.stages)
  );
}
