/** Requests of an operation: some as the document allows them, others bent in one way or in all. */
import fc, { type Arbitrary } from "fast-check";
import { bent, bentText, pathParts, TEXTS } from "./hostile.ts";
import type { Api, Operation } from "./operations.ts";
import { type JsonSchema, Values } from "./values.ts";

/** One request, as it is sent. */
export interface FuzzRequest {
  method: string;
  /** Below the API's path, with the query. */
  path: string;
  headers: Record<string, string>;
  /** Absent: none. */
  body: string | Uint8Array | undefined;
  /** Is everything in it as the document says? */
  isAllowed: boolean;
}

/** What there is to ask about. */
export interface World {
  /** Names of flags and cohorts that are there. */
  names: readonly string[];
  /** Bodies of an operation that mean something, besides those that its schema alone makes. */
  bodies: Record<string, readonly unknown[]>;
  /** Texts of a query's member that mean something. */
  queries: Record<string, readonly string[]>;
}

/** Which parts of a request are bent. */
interface Bent {
  path: boolean;
  query: boolean;
  headers: boolean;
  body: boolean;
}

const STRAIGHT: Bent = { path: false, query: false, headers: false, body: false };
const ways: Arbitrary<Bent> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(STRAIGHT) },
  { weight: 1, arbitrary: fc.constant({ ...STRAIGHT, path: true }) },
  { weight: 2, arbitrary: fc.constant({ ...STRAIGHT, query: true }) },
  { weight: 3, arbitrary: fc.constant({ ...STRAIGHT, headers: true }) },
  { weight: 4, arbitrary: fc.constant({ ...STRAIGHT, body: true }) },
  { weight: 1, arbitrary: fc.constant({ path: true, query: true, headers: true, body: true }) },
);

const ETAGS = [
  "*",
  '"x"',
  'W/"x"',
  '""',
  '"a", "b"',
  "x",
  '"',
  '"\\"',
  "*, *",
  "W/*",
  `"${"x".repeat(4000)}"`,
  '"é"',
];
const KEYS = ["same", "a b", "x".repeat(255), "x".repeat(256), "", "é", "__proto__", "a\tb", '"quoted"'];
const TYPES = [
  "application/json",
  "APPLICATION/JSON; charset=utf-16",
  "application/merge-patch+json",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "multipart/form-data",
  "application/xml",
  "application/octet-stream",
  "image/png",
  ";;;",
  "application/json;charset",
  "",
];
/** Headers that somebody somewhere listens to. */
const OTHERS: Record<string, readonly string[]> = {
  "content-encoding": ["gzip", "br", "x"],
  accept: ["text/html", "application/xml;q=0.9", ""],
  origin: ["https://evil.example.com", "null"],
  "x-http-method-override": ["DELETE"],
  "x-greenlight-client": ["cli", "x"],
  "x-forwarded-host": ["evil.example.com"],
  "transfer-encoding-x": ["chunked"],
  range: ["bytes=0-1", "bytes=-"],
  expect: ["200-ok"],
  cookie: ["a=b; gl_visitor=x", "CF_Authorization=x"],
  "if-modified-since": ["x"],
};
const QUERY = [
  "-1",
  "0",
  "1e9",
  "NaN",
  "0x10",
  "1.5",
  "9007199254740993",
  " 5",
  "١",
  "null",
  "[]",
  "1,2",
  ...TEXTS,
];

/** Requests of one operation. */
export function requestsOf(api: Api, operation: Operation, world: World): Arbitrary<FuzzRequest> {
  const values = new Values(api.document.components.schemas);
  return ways.chain((way) =>
    fc
      .record({
        path: pathOf(operation, world, way.path),
        query: queryOf(operation, values, world, way.query),
        headers: headersOf(operation, way.headers),
        body: bodyOf(operation, values, world, way.body),
      })
      .map(({ path, query, headers, body }) => ({
        method: operation.method,
        path: `${path}${query}`,
        headers,
        body,
        isAllowed: way === STRAIGHT,
      })),
  );
}

function pathOf({ path }: Operation, { names }: World, isBent: boolean): Arbitrary<string> {
  const parts = isBent ? fc.constantFrom(...pathParts, ...names) : fc.constantFrom(...names);
  const one = path.includes("{revision}") && !isBent ? fc.nat({ max: 400 }).map(String) : parts;
  const ends = isBent ? fc.constantFrom("", "", "/", "//", "/..", "/%2e", ".json", ";x") : fc.constant("");
  return fc.tuple(one, ends).map(([part, end]) => `${path.replace(/\{\w+\}/, () => part)}${end}`);
}

function queryOf(
  { parameters }: Operation,
  values: Values,
  { queries }: World,
  isBent: boolean,
): Arbitrary<string> {
  const known = parameters.filter((one) => one.in === "query");
  const names = fc.constantFrom(...known.map(({ name }) => name), "x", "__proto__", "limit", "reason");
  if (isBent)
    return fc.array(fc.tuple(names, fc.constantFrom(...QUERY)), { maxLength: 3 }).map((pairs) => {
      const given = pairs.map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`);
      return given.length === 0 ? "?%&=&" : `?${given.join("&")}`;
    });
  const textOf = (name: string, schema: JsonSchema) => {
    const own = queries[name];
    return own ? fc.oneof(fc.constantFrom(...own), values.of(schema)) : values.of(schema);
  };
  const members = known.map(({ name, schema }) => [name, textOf(name, schema)] as const);
  const one = fc.record(Object.fromEntries(members), { requiredKeys: [] });
  return one.map((given) => {
    const text = new URLSearchParams(
      Object.entries(given).map(([name, value]) => [name, String(value).toWellFormed()]),
    ).toString();
    return text === "" ? "" : `?${text}`;
  });
}

function headersOf({ parameters, body }: Operation, isBent: boolean): Arbitrary<Record<string, string>> {
  const has = (name: string) => parameters.some((one) => one.in === "header" && one.name === name);
  if (!isBent) {
    const usual = {
      ...(has("if-match") && { "if-match": "*" }),
      ...(body && { "content-type": body.types[0]! }),
    };
    // Without it a write that needs one is refused, and with it one that needs none is done all the same.
    return fc.constantFrom({}, { accept: "application/json" }).map((more) => ({ ...usual, ...more }));
  }
  const names = Object.keys(OTHERS);
  return fc.record(
    {
      "if-match": fc.constantFrom(...ETAGS),
      "if-none-match": fc.constantFrom(...ETAGS),
      "idempotency-key": fc.constantFrom(...KEYS),
      "content-type": fc.constantFrom(...TYPES),
      "x-tenant-id": fc.constantFrom("tenant-1", "x".repeat(300), ""),
      "last-event-id": fc.constantFrom("1", "-1", "x", "999999999999999", ""),
      ...Object.fromEntries(names.map((name) => [name, fc.constantFrom(...OTHERS[name]!)])),
    },
    { requiredKeys: [] },
  );
}

function bodyOf(
  { id, body, method }: Operation,
  values: Values,
  { bodies }: World,
  isBent: boolean,
): Arbitrary<string | Uint8Array | undefined> {
  if (!body) {
    const none = fc.constant(undefined);
    return isBent && method !== "GET" ? fc.oneof(none, bentText("{}")) : none;
  }
  const own = bodies[id] ?? [];
  const made = values.of(body.schema);
  // What has a meaning goes further than what only has the form.
  const straight = own.length > 0 ? fc.oneof(fc.constantFrom(...own), fc.constantFrom(...own), made) : made;
  const texts = straight.map((value) => JSON.stringify(value));
  if (!isBent) return body.required ? texts : fc.oneof(texts, fc.constant(undefined));
  return fc.oneof(
    { weight: 2, arbitrary: straight.chain(bent).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: texts.chain(bentText) },
  );
}
