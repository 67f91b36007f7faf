/** The Canary plan: its alert rules, as far as their expressions are known. */
import { secondsIn } from "../cells.ts";
import { Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import type { Piece } from "../piece.ts";
import { CANARY } from "./canary-plan.ts";
import { conditionIn } from "./expression.ts";
import type { WrittenRule } from "./halts.ts";

/** What an alert does here. */
const ACTIONS: Readonly<Record<string, string>> = {
  pause_canary: "pause",
  alert_oncall: "alert",
  reduce_canary: "reduce",
  rollback_canary: "rollback",
};

/** Every alert as a rule, or several where any of its expressions will do. */
export function fromCanaryAlerts(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const alerts = drafts.root.at("alerts");
  const draft = drafts.of(options.flag ?? CANARY, alerts);
  const rules = alerts.items().flatMap(rulesOf);
  if (rules.length > 0) draft.set("rules", rules);
  return drafts.finish("canary-alerts");
}

/** Is this an alert of such a file? */
export function isAlert(value: unknown): boolean {
  return typeof value === "object" && value !== null && "expr" in value;
}

function rulesOf(alert: Piece): WrittenRule[] {
  const expr = alert.at("expr");
  const lasting = alert.at("for");
  const action = alert.at("action");
  alert.at("name").lose("Rules have no names: a notification says the condition itself.");
  const seconds = typeof lasting.value === "string" ? secondsIn(lasting.value) : undefined;
  if (lasting.isThere && seconds === undefined) lasting.lose("Not a time such as 5m: the rule acts at once.");
  else lasting.take();
  const does = typeof action.value === "string" ? ACTIONS[action.value] : undefined;
  if (does !== undefined) action.take();
  else if (action.isThere)
    action.change("Not an action that is known: the rule tells somebody, and does no more.");
  const expressions = Array.isArray(expr.value) ? expr.items() : [expr];
  return expressions.flatMap((piece) => {
    const condition = typeof piece.value === "string" ? conditionIn(piece.value) : undefined;
    if (condition === undefined) {
      piece.lose(
        "Not an expression that is known: write the rule by hand, of a gauge that is pushed or pulled.",
      );
      return [];
    }
    piece.take();
    return [{ ...condition, ...(seconds ? { for: seconds } : {}), action: does ?? "alert" }];
  });
}
