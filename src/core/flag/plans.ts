/** Ready-made plans, by name. */
import type * as z from "zod";
import { type Plan, type PlanInput, plan } from "./plan.ts";

/** Plans that a flag can name. */
export const PLANS: Readonly<Record<string, PlanInput>> = {
  togetheros: {
    name: "togetheros",
    stages: [
      { percentage: 10, maxErrorRate: 0.05 },
      { percentage: 50, maxErrorRate: 0.03 },
      { percentage: 100, maxErrorRate: 0.02 },
    ],
  },
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
