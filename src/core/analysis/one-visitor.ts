/**
 * Is a literal limit broken by one visitor? Rules that ask for several failing visitors hold without the one that
 * failed most as well: others fail now and then, and beside one client in a retry loop they would be enough.
 */
import { TICK_MS } from "../wire/messages.ts";
import { blameThrough, mostOf, mostRequestsOf, newBlame } from "./blame.ts";
import { limitOf } from "./limits.ts";
import { meantFor } from "./quantity.ts";
import type { CountedRule, Finding } from "./rules.ts";
import { failures } from "./tally.ts";
import type { Samples, Window } from "./window.ts";
import { count, percent } from "./words.ts";

/** What is left of a breach without the visitor that failed most; undefined when it stays one, or is literal. */
export function oneVisitors(
  rule: CountedRule,
  literal: Finding,
  samples: Samples,
  window: Window,
  now: number,
): Finding | undefined {
  if (literal.verdict !== "unhealthy" || rule.metric !== "error_rate" || rule.window === "stage")
    return undefined;
  const { operator, limit } = limitOf(rule);
  if (operator !== "above" && operator !== "atLeast") return undefined;
  const first = Math.floor((now - rule.window * 1000) / TICK_MS) + 1;
  const others =
    typeof limit === "number"
      ? ofRequests({ limit, ...rule }, samples, window, first)
      : "baseline" in limit
        ? ofUnits(limit, samples, window, first)
        : undefined;
  if (!others) return undefined;
  const { requests, failed, least } = others;
  const allowed = others.limit * requests;
  if (requests >= least && (operator === "above" ? failed > allowed : failed >= allowed)) return undefined;
  const sentence = `${literal.sentence}, but without the visitor that failed most it is ${percent(failed / Math.max(1, requests))} of ${count(Math.round(requests), "request")}`;
  return { ...literal, verdict: "insufficient", sentence };
}

interface Others {
  requests: number;
  failed: number;
  limit: number;
  /** Requests below which nothing is said. */
  least: number;
}

/** Only rules that ask for several visitors: what is literal holds whoever failed. */
function ofRequests(
  { limit, minVisitors, minRequests }: { limit: number; minVisitors: number; minRequests: number },
  { green }: Samples,
  window: Window,
  first: number,
): Others | undefined {
  if (minVisitors === 0) return undefined;
  const most = mostRequestsOf(window, first);
  const failed = failures(green.all) + green.all.diverted;
  return { requests: meantFor(green.all) - most, failed: failed - most, limit, least: minRequests };
}

function ofUnits(
  limit: { plus: number } | { times: number },
  { green, blue }: Samples,
  window: Window,
  first: number,
): Others | undefined {
  // Without blue it was not compared with blue.
  if (blue.hash.units === 0) return undefined;
  const { most } = mostOf(blameThrough(newBlame(first - 1), window, Number.POSITIVE_INFINITY));
  const rate = blue.hash.unitErrors / blue.hash.units;
  // Who failed once may be anyone, and who did not fail most of it all is in no loop: a literal limit stays exact.
  const less = most > 1 && 2 * most > green.hash.unitErrors ? most : 0;
  return {
    requests: green.hash.units - less,
    failed: green.hash.unitErrors - less,
    limit: "plus" in limit ? rate + limit.plus : rate * limit.times,
    least: 0,
  };
}
