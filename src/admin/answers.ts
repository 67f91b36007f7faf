/** What the routes of the admin API share: reading a body, saying what is wrong with it, and the etag of an answer. */
import type { Context } from "hono";
import type * as z from "zod";
import { problem } from "../edge/problem.ts";

/** The answer to a write: the revision as etag, and what else there is to say. */
export function etagged(c: Context, revision: number, more: object = {}): Response {
  c.header("etag", `"${revision}"`);
  return c.json({ revision, ...more });
}

/** Every fault of a body or query with its path. */
export function badRequest(error: z.ZodError): Response {
  // Nothing in JSON is undefined, so it is what `bodyOf` makes of a body that is none.
  if (error.issues.some(({ path, message }) => path.length === 0 && message.endsWith("received undefined")))
    return problem("bad-request", "The body is not JSON.", { faults: [{ path: "", message: "not JSON" }] });
  const faults = error.issues.map((i) => ({ path: i.path.join("."), message: i.message }));
  return problem("bad-request", faults.map((f) => `${f.path || "body"}: ${f.message}`).join("; "), {
    faults,
  });
}

/** The JSON body; an empty one is an empty object, one that is no JSON is undefined. */
export async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** By which way a command came: the command line says so. */
export function howOf(c: Context): "api" | "cli" {
  return c.req.header("x-greenlight-client") === "cli" ? "cli" : "api";
}
