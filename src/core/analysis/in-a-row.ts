/** Failures in a row: one isolate reports the run, or all isolates together saw that many failures and no success. */
import type { InARowCondition } from "../flag/condition.ts";
import { decimal, ratio } from "./exact.ts";
import { limitOf, meets, overWords } from "./limits.ts";
import { type Measure, unsaid } from "./measured.ts";
import type { Reading } from "./reading.ts";
import { failures } from "./tally.ts";
import { count } from "./words.ts";

/**
 * Measures the longest run. It may have begun before the last resume; since then it cannot be longer than the failures
 * since then.
 */
export function inARow(condition: InARowCondition, reading: Reading): Measure {
  const over = overWords(condition.window);
  const green = reading.of("green", "all");
  if (!green) return unsaid("unmeasured", `No counts are kept of all the time ${over}`);
  const run = Math.min(green.run, reading.failed);
  const bad = failures(green);
  const successes = green.requests - bad - green.censored;
  const { operator, limit } = limitOf(condition);
  const ask = typeof limit === "number" ? limit : 0;
  const figures = { requests: green.requests, run, failures: bad, successes, limit: ask };
  if (green.requests === 0) return unsaid("few", `Green had no request ${over}`, figures);
  if (green.requests < condition.minRequests)
    return unsaid(
      "few",
      `Green had ${count(green.requests, "request")} ${over}; ${condition.minRequests} are needed`,
      figures,
    );
  const longest = successes === 0 ? Math.max(run, bad) : run;
  return {
    state: meets(operator, ratio(longest, 1), decimal(ask)) ? "met" : "unmet",
    measured: `Green failed ${count(longest, "request")} in a row ${over.replace(/^in /, "within ")}`,
    limit: String(ask),
    figures: { ...figures, longest },
  };
}
