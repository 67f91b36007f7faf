/**
 * Is a literal limit broken by one visitor? Rules that ask for several failing visitors hold without the one that
 * failed most as well: others fail now and then, and beside one client in a retry loop they would be enough.
 */
import { TICK_MS } from "../wire/messages.ts";
import { blameThrough, mostOf, mostRequestsOf, newBlame } from "./blame.ts";
import { type Finding, type LiteralRule, meantFor } from "./rules.ts";
import { failures } from "./tally.ts";
import type { Samples, Window } from "./window.ts";
import { count, percent } from "./words.ts";

/** What is left of a breach without the visitor that failed most; undefined when it stays one, or is literal. */
export function oneVisitors(
  rule: LiteralRule,
  literal: Finding,
  samples: Samples,
  window: Window,
  now: number,
): Finding | undefined {
  if (literal.verdict !== "unhealthy" || rule.metric !== "error_rate") return undefined;
  const first = Math.floor((now - rule.window * 1000) / TICK_MS) + 1;
  const { requests, failed, limit, least } =
    "above" in rule ? ofRequests(rule, samples, window, first) : ofUnits(rule, samples, window, first);
  if (requests >= least && failed > limit * requests) return undefined;
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

function ofRequests(
  { above, minVisitors, minRequests }: Extract<LiteralRule, { metric: "error_rate"; above: number }>,
  { green }: Samples,
  window: Window,
  first: number,
): Others {
  const most = minVisitors > 0 ? mostRequestsOf(window, first) : 0;
  const failed = failures(green.all) + green.all.diverted;
  return {
    requests: meantFor(green) - most,
    failed: failed - most,
    limit: above,
    least: minVisitors > 0 ? minRequests : 0,
  };
}

function ofUnits(
  { aboveBlueBy }: Extract<LiteralRule, { metric: "error_rate"; aboveBlueBy: number }>,
  { green, blue }: Samples,
  window: Window,
  first: number,
): Others {
  const { most } = mostOf(blameThrough(newBlame(first - 1), window, Number.POSITIVE_INFINITY));
  const limit = aboveBlueBy + blue.hash.unitErrors / blue.hash.units;
  // Who failed once may be anyone.
  const less = most > 1 ? most : 0;
  return { requests: green.hash.units - less, failed: green.hash.unitErrors - less, limit, least: 0 };
}
