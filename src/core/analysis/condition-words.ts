/** A condition as users would write it in one line: `error_rate > 0.05`, `latency_p99 > blue × 5 for 10 min`. */
import { type Condition, eventOf } from "../flag/condition.ts";
import { signWords } from "./limits.ts";
import { unitOf } from "./quantity.ts";
import { seconds } from "./words.ts";

/** The condition in words. */
export function wordsOf(condition: Condition): string {
  const lasting = "for" in condition && condition.for > 0 ? ` for ${seconds(condition.for)}` : "";
  return `${bareWords(condition)}${lasting}`;
}

function bareWords(condition: Condition): string {
  const { metric } = condition;
  switch (metric) {
    case "slos":
      return `slos ${condition.set} ${condition.are}`;
    case "smoke_test":
      return `smoke_test ${condition.is}`;
    case "non_inferiority":
      return `non_inferiority ${condition.margin}`;
    case "gauge":
      return `gauge ${condition.gauge} ${signWords(condition, "plain")}`;
    case "alerts": {
      const labels = Object.entries(condition.labels).map(([name, value]) => `${name}=${value}`);
      const which = labels.length > 0 ? `{${labels.join(", ")}}` : "";
      return `alerts${which} ${signWords(condition, "plain")}`;
    }
    case "health_check":
      return `health_check ${signWords(condition, "plain")}`;
    default: {
      const event = eventOf(condition);
      const of = event === undefined ? "" : ` of ${event}`;
      return `${metric}${of} ${signWords(condition, unitOf(metric))}`;
    }
  }
}
