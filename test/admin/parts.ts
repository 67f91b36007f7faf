/** The admin API as tests of it ask it, through the real Worker. */
import { exports } from "cloudflare:workers";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { TOKENS } from "../support/tokens.ts";

export const API = "http://localhost/_greenlight/api";

/** What is asked with. `token`: null for none; default that of an admin. */
export interface Asked {
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Asks, and gives the answer as it came. A body that is no text is sent as JSON. */
export function call(method: string, path: string, { token, body, headers }: Asked = {}): Promise<Response> {
  const all = new Headers(headers);
  if (token !== null) all.set("authorization", `Bearer ${token ?? TOKENS.admin}`);
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  return exports.default.fetch(`${API}${path}`, {
    method,
    headers: all,
    ...(body !== undefined && { body: sent }),
  });
}

/** The answer, read. */
export async function ask(method: string, path: string, asked?: Asked) {
  const response = await call(method, path, asked);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  const body = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
  return {
    status: response.status,
    headers: response.headers,
    etag: response.headers.get("etag"),
    text,
    body,
  };
}

/** Name of a problem: the last part of its type. */
export function problemOf({ body }: { body: Record<string, unknown> }): string {
  return String(body.type).replace("urn:greenlight:problem:", "");
}

/** The flag of a shop, with a route. */
export const SHOP: FlagInput = {
  state: "canary",
  percentage: 10,
  release: "2.0",
  rules: [],
  route: { hosts: ["shop.example.com"], blue: "http://blue.test", green: "http://green.test" },
};

/** Puts a whole document, over whatever is there. */
export async function putDocument(flags: Record<string, unknown>, more: object = {}): Promise<void> {
  const { status, text } = await ask("PUT", "/document", {
    headers: { "if-match": "*" },
    body: JSON.stringify({ ...more, flags }, null, 2),
  });
  if (status !== 200) throw new Error(text);
}
