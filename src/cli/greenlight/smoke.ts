/** One smoke request to an origin, and whether its answer is as expected. */
import type { Expectation } from "../../core/flag/plan.ts";

const MS = 1000;
/** Seconds for an answer where the request says nothing. */
const TIMEOUT_S = 5;
/** Characters of an answer that are searched, as the router does. */
const MAX_BODY = 65_536;
const BINDING = "service:";

/** What a request came to. */
export interface Asked {
  side: "green" | "blue";
  method: string;
  path: string;
  status: number | null;
  /** Milliseconds until the answer was read; null without one. */
  ms: number | null;
  ok: boolean;
  /** What is wrong; empty where nothing is. */
  sentence: string;
}

/** Asks, and compares. What cannot be asked from here is not ok, and says so. */
export async function askOrigin(
  side: Asked["side"],
  origin: string,
  expected: Partial<Expectation>,
  until: AbortSignal,
): Promise<Asked> {
  const {
    path = "/",
    method = "GET",
    headers = {},
    body,
    status = 200,
    match,
    timeout = TIMEOUT_S,
  } = expected;
  const about = { side, method, path };
  if (origin.startsWith(BINDING)) {
    const sentence = "a service binding: only the router reaches it";
    return { ...about, status: null, ms: null, ok: false, sentence };
  }
  const from = performance.now();
  try {
    const answer = await fetch(new URL(path, origin), {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(timeout * MS), until]),
    });
    const text = (await answer.text()).slice(0, MAX_BODY);
    const took = performance.now() - from;
    const wanted = Array.isArray(status) ? status : [status];
    const wrong = !wanted.includes(answer.status)
      ? `${wanted.join(" or ")} was expected`
      : match !== undefined && !text.includes(match)
        ? `${JSON.stringify(match)} is not in it`
        : "";
    return { ...about, status: answer.status, ms: took, ok: wrong === "", sentence: wrong };
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } };
    const sentence = name === "TimeoutError" ? `no answer in ${timeout} s` : (cause?.code ?? "no answer");
    return { ...about, status: null, ms: null, ok: false, sentence };
  }
}
