/** Ready-made plans, by name: those of the systems that Greenlight takes the place of. */
import type * as z from "zod";
import { type Plan, type PlanInput, plan } from "./plan.ts";
import { canaryPlan } from "./plans/canary-plan.ts";
import { ecotrips } from "./plans/ecotrips.ts";
import { orca, orcaWeeks } from "./plans/orca.ts";
import { thorbis } from "./plans/thorbis.ts";
import { togetheros, togetherosCustom } from "./plans/togetheros.ts";

/** Plans that a flag can name. */
export const PLANS: Readonly<Record<string, PlanInput>> = {
  orca,
  "orca-weeks": orcaWeeks,
  togetheros,
  "togetheros-custom": togetherosCustom,
  "canary-plan": canaryPlan,
  thorbis,
  ecotrips,
};
/** The ready-made plan of that name, in the form of a zod transform: another name is an issue. */
export function readyMade(name: string, ctx: z.RefinementCtx): Plan {
  const found = Object.hasOwn(PLANS, name) ? PLANS[name] : undefined;
  if (found !== undefined) return plan.parse(found);
  ctx.addIssue({
    code: "custom",
    message: `a plan of the document or one of ${Object.keys(PLANS).join(", ")}`,
  });
  return plan.parse({ stages: [{ percentage: 100 }] });
}
