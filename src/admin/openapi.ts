/** The OpenAPI document of the admin API, made from its routes and from the schema of the flag document. */
import { z } from "@hono/zod-openapi";
import { documentJsonSchema } from "../core/flag/json-schema.ts";
import { routes } from "./routes/all.ts";
import { json, problems } from "./schemas/problem.ts";

/** Where it is kept, from the root of the repository; `npm run schema` writes it. */
export const OPENAPI_FILE = "docs/openapi.json";

/** Version of the API: the first number rises when something that was there is gone. */
const VERSION = "1.0.0";

interface Schema {
  properties?: Record<string, object>;
  required?: string[];
  [key: string]: unknown;
}

const TAGS = [
  ["status", "Who asks, and all that was decided and counted."],
  ["flags", "Flags as they are written, and as they are served."],
  ["overrides", "Answers of their own for single users and tenants."],
  ["rollouts", "Commands that move traffic, and where a rollout is."],
  ["cohorts", "Switches of cohorts."],
  ["figures", "What was counted, by window."],
  ["evaluation", "What a visitor gets, and why."],
  ["document", "The flag document as a whole, and its revisions."],
  ["audit", "Who changed what, when and why."],
  ["pull", "The scheduled pull from elsewhere."],
  ["telemetry", "What origins and their monitoring push."],
] as const;

let made: OpenApi | undefined;

/** What of the document is read here and where it is described. */
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}
export interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  "x-role": string;
  responses: Record<string, { description: string }>;
}

/** The document (OpenAPI 3.1), made once. */
export function openApi(): OpenApi {
  made ??= make() as unknown as OpenApi;
  return made;
}

/** The same as text. */
export function openApiText(): string {
  return `${JSON.stringify(openApi(), null, 1)}\n`;
}

/** The page whose table of routes is made here, from the root of the repository. */
export const API_PAGE = "docs/api.md";

const BEGIN = "<!-- routes, by npm run schema -->";
const END = "<!-- end of routes -->";

/** The page with the table of routes in its place. */
export function withRoutes(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${API_PAGE} has lost the marks of its table`);
  return `${before}${BEGIN}\n\n${routeTable()}\n\n${END}${after}`;
}

function routeTable(): string {
  const rows = Object.entries(openApi().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, "x-role": role }]) => {
      return `| \`${method.toUpperCase()} ${path}\` | ${role} | ${summary} |`;
    }),
  );
  return ["| route | role | what |", "| --- | --- | --- |", ...rows].join("\n");
}

function make(): object {
  const registry = routes.openAPIRegistry;
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "A token of ADMIN_TOKENS.",
  });
  registry.registerComponent("securitySchemes", "access", {
    type: "apiKey",
    in: "header",
    name: "Cf-Access-Jwt-Assertion",
    description: "The identity that Cloudflare Access vouches for.",
  });
  registry.registerPath({
    method: "get",
    path: "/openapi.json",
    operationId: "getOpenApi",
    tags: ["status"],
    summary: "This document.",
    security: [{ token: [] }, { access: [] }],
    "x-role": "viewer",
    responses: { 200: json(z.record(z.string(), z.unknown()), "OpenAPI 3.1"), ...problems() },
  });
  const document = routes.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Greenlight admin API",
      version: VERSION,
      description:
        "Answers on admin hosts only. `x-role` of an operation is the role that it needs: reporter, viewer, operator, admin, or any. Errors are problem+json (RFC 9457); docs/problems.md has all types.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [{ url: "/_greenlight/api" }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
  });
  const components = { ...document.components };
  components.schemas = { ...components.schemas, ...(flagSchemas() as typeof components.schemas) };
  return { ...document, components };
}

/** The document's own JSON Schema in parts: the components that routes only name. */
function flagSchemas(): Record<string, Schema> {
  const {
    $defs = {},
    $schema: _,
    ...whole
  } = relocated(documentJsonSchema()) as Schema & {
    $defs?: Record<string, Schema>;
  };
  const flags = whole.properties?.flags as { additionalProperties: Schema };
  const flag = flags.additionalProperties;
  const { properties = {}, required = [] } = flag;
  const named = { name: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$" }, ...properties };
  return {
    ...Object.fromEntries(Object.entries($defs).map(([id, part]) => [componentOf(id), part])),
    Flag: flag,
    NewFlag: { ...flag, properties: named, required: ["name", ...required] },
    FlagDocument: {
      ...whole,
      properties: {
        ...whole.properties,
        flags: { ...flags, additionalProperties: { $ref: "#/components/schemas/Flag" } },
      },
    },
  };
}

/** Parts of the document have small names (`plan`), answers have large ones (`Rollout`): they cannot meet. */
function componentOf(id: string): string {
  return `document.${id}`;
}

/** The schema with its references pointing to where the parts are in an OpenAPI document. */
function relocated(schema: unknown): unknown {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === "$ref" && typeof value === "string"
      ? value.replace(/^#\/\$defs\/(.+)$/, (_, id: string) => `#/components/schemas/${componentOf(id)}`)
      : value,
  );
  return JSON.parse(text) as unknown;
}
