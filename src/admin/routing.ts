/** What all routes of the admin API are made with: roles, bodies that are read once and well, and faults with paths. */
import { type Hook, OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { Role } from "../core/auth/tokens.ts";
import { pathText } from "../core/flag/faults.ts";
import { readJson } from "../core/flag/json.ts";
import type { Fault } from "../core/rollout/snapshot.ts";
import { problem } from "../edge/problem.ts";
import { mayDo, type Principal } from "./auth.ts";

/** What is known while a request is answered. */
export interface AdminEnv {
  Bindings: Env;
  Variables: {
    principal: Principal;
    /** The body as it came, for those who hash it. */
    body: string;
  };
}

/** Nesting of a body: far more than a flag needs, and less than what any reader of JSON fails at. */
const MAX_DEPTH = 64;

/** What JSON may be sent as. A form is what curl calls a body of which it is told nothing; nothing at all is fine too. */
const JSON_TYPES = /^(application\/([\w.-]+\+)?json|text\/plain|application\/x-www-form-urlencoded)?$/;

/** What a document may be sent as: the same, and a file of which nothing is known. */
const TEXT_TYPES =
  /^(application\/([\w.-]+\+)?json|text\/[\w.-]+|application\/(x-www-form-urlencoded|octet-stream))?$/;

/** A part of the API. */
export function newApi(): OpenAPIHono<AdminEnv> {
  return new OpenAPIHono<AdminEnv>({ defaultHook: onFault });
}

/** What is said about a route that needs a role; `any`: whoever is known. */
export function needs(role: Role | "any"): {
  security: Record<string, string[]>[];
  "x-role": string;
  middleware: MiddlewareHandler<AdminEnv>[];
} {
  return { security: [{ token: [] }, { access: [] }], "x-role": role, middleware: [onlyFor(role)] };
}

/** The same of a route that is sent JSON. */
export function needsJson(role: Role | "any"): ReturnType<typeof needs> {
  const route = needs(role);
  return { ...route, middleware: [...route.middleware, readsJson] };
}

/** The same of a route that is sent a document. */
export function needsText(role: Role | "any"): ReturnType<typeof needs> {
  const route = needs(role);
  return { ...route, middleware: [...route.middleware, readsText] };
}

/** Answers 403 to those whose role is not enough. */
export function mayNot(principal: Principal, role: Role): Response | undefined {
  if (mayDo(principal, role)) return undefined;
  return problem("forbidden", `This needs the role ${role}; ${principal.name} has ${principal.role}.`);
}

function onlyFor(role: Role | "any"): MiddlewareHandler<AdminEnv> {
  return async (c, next) => (role === "any" ? undefined : mayNot(c.get("principal"), role)) ?? (await next());
}

/** Reads the body as a text. */
const readsText: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const type = mediaType(c.req.header("content-type"));
  if (!TEXT_TYPES.test(type)) return unreadable(type, "application/json or text/plain");
  const text = await textOf(c.req.raw);
  if (text === undefined) return notText();
  c.set("body", text);
  return await next();
};

/** Reads the body as JSON: no key twice, none called `__proto__`. What is empty is an empty object. */
const readsJson: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const type = mediaType(c.req.header("content-type"));
  const text = await textOf(c.req.raw);
  if (text === undefined) return notText();
  const isEmpty = text.trim() === "";
  if (!isEmpty && !JSON_TYPES.test(type)) return unreadable(type, "application/json");
  const faults = isEmpty ? [] : faultsOf(text);
  if (faults.length > 0) {
    const words = faults.map(({ path, message }) => `${path === "" ? "" : `${path}: `}${message}`).join("; ");
    const isJson = faults[0]?.path !== "";
    return problem("bad-request", isJson ? words : "The body is not JSON.", { faults });
  }
  c.set("body", text);
  const headers = new Headers(c.req.raw.headers);
  headers.set("content-type", "application/json");
  headers.delete("content-length");
  c.req.raw = new Request(c.req.raw.url, { method: c.req.method, headers, body: isEmpty ? "{}" : text });
  c.req.bodyCache = {};
  return await next();
};

/** The body, without a byte order mark; undefined where it is not UTF-8. */
async function textOf(request: Request): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await request.arrayBuffer());
  } catch {
    return undefined;
  }
}

function notText(): Response {
  const fault: Fault = { path: "", message: "not UTF-8", expected: "text in UTF-8" };
  return problem("bad-request", "The body is not text in UTF-8.", { faults: [fault] });
}

function faultsOf(text: string): Fault[] {
  const json = readJson(text);
  if (!json.ok) return [json.fault];
  const hidden = json.hidden.map((path) => ({
    path: pathText(path),
    message: "this key is there twice, or is __proto__",
    expected: "each key once",
  }));
  if (depthOf(json.value) <= MAX_DEPTH) return hidden;
  return [{ path: "body", message: "nested too deeply", expected: `at most ${MAX_DEPTH} levels` }];
}

/** Levels of lists and objects, as far as it matters. */
function depthOf(value: unknown): number {
  let depth = 0;
  let level: unknown[] = [value];
  while (depth <= MAX_DEPTH) {
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    if (level.length === 0) return depth;
    depth++;
  }
  return depth;
}

function mediaType(header: string | undefined): string {
  return (header ?? "").split(";")[0]!.trim().toLowerCase();
}

function unreadable(type: string, wanted: string): Response {
  return problem(
    "unsupported-media-type",
    `Send it as ${wanted}; ${JSON.stringify(type)} is not read.`,
    {},
    { accept: wanted },
  );
}

/** Every fault of a body, query, path or header with its path. */
const onFault: Hook<unknown, AdminEnv, string, Response | undefined> = (result) =>
  result.success ? undefined : faulty(result.error.issues, WHERE[result.target] ?? result.target);

/** The answer to what is not of the expected form. */
export function faulty(issues: readonly Issue[], where: string): Response {
  const faults = issues.map((issue) => faultOf(issue, where));
  const detail = faults.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return problem("bad-request", detail, { faults });
}

const WHERE: Record<string, string> = { json: "body", param: "path" };

/** What zod found. */
interface Issue {
  code?: string | undefined;
  path: readonly PropertyKey[];
  message: string;
  expected?: unknown;
  values?: unknown;
  /** Of a union: what each of its forms finds. */
  errors?: readonly (readonly Issue[])[];
}

/** A fault; of several forms that something may have that of the one which it is nearest to. */
function faultOf(issue: Issue, where: string): Fault {
  const forms = (issue.code === "invalid_union" && issue.message === UNION && issue.errors) || [];
  const nearest = forms.toSorted((a, b) => distance(a) - distance(b))[0]?.[0];
  if (nearest) return faultOf({ ...nearest, path: [...issue.path, ...nearest.path] }, where);
  const path = pathText(issue.path.length === 0 ? [where] : issue.path);
  return { path, message: issue.message, expected: expectedOf(issue) };
}

/** How far something is from a form: a list is no object with a fault. */
function distance(issues: readonly Issue[]): number {
  const isOfAnotherType = issues.some(({ path, code }) => path.length === 0 && code === "invalid_type");
  return isOfAnotherType ? Number.POSITIVE_INFINITY : issues.length;
}

/** What zod says of a union that has no words of its own. */
const UNION = "Invalid input";

function expectedOf(issue: Issue): string {
  if (issue.code === "invalid_type") return `a ${String(issue.expected)}`;
  if (issue.code === "invalid_value" && Array.isArray(issue.values))
    return `one of ${issue.values.join(", ")}`;
  if (issue.code === "unrecognized_keys") return "only members that the API names";
  return issue.message;
}
