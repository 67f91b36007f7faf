/** The operations of an OpenAPI document as the fuzzer needs them: what may be asked, and what may be answered. */
import { Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "./values.ts";

/** What of an OpenAPI document is read here. */
export interface ApiDocument {
  servers: { url: string }[];
  paths: Record<string, Record<string, OperationObject>>;
  components: { schemas: Record<string, JsonSchema> };
}

interface OperationObject {
  operationId: string;
  "x-role": string;
  parameters?: { in: "path" | "query" | "header"; name: string; required?: boolean; schema: JsonSchema }[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
}

type Content = Record<string, { schema: JsonSchema }>;

/** One method of one path. */
export interface Operation {
  id: string;
  method: string;
  /** Path with its parameters in braces, below the API's own. */
  path: string;
  role: string;
  parameters: NonNullable<OperationObject["parameters"]>;
  /** Null where none is taken. */
  body: { required: boolean; schema: JsonSchema; types: string[] } | null;
  responses: OperationObject["responses"];
}

/** The document, with its operations found by path, and its schemas ready to check with. */
export class Api {
  readonly document: ApiDocument;
  readonly operations: readonly Operation[];
  readonly #validators = new Map<JsonSchema, Validator>();
  readonly #reads: (path: string) => string;
  readonly #patterns: readonly [RegExp, string][];

  /** `reads`: how a path reaches the API; some runtimes follow its dots before. */
  constructor(document: ApiDocument, reads = (path: string) => path) {
    this.document = document;
    this.#reads = reads;
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, of]) => operationOf(path, method, of)),
    );
    this.#patterns = Object.keys(document.paths).map((path) => [patternOf(path), path]);
  }

  /** Path of the API itself. */
  get base(): string {
    return this.document.servers[0]!.url;
  }

  /** The operation that a request leads to, by its path without the query. */
  at({ method, path: sent }: { method: string; path: string }): Operation | undefined {
    const path = this.#reads(sent).split("?", 1)[0]!;
    const [, pattern] = this.#patterns.find(([regex]) => regex.test(path)) ?? [];
    return this.operations.find((one) => one.path === pattern && one.method === method);
  }

  /** What is wrong with a value by a schema of the document; undefined where nothing is. */
  fault(schema: JsonSchema, value: unknown): string | undefined {
    const { valid, errors } = this.#validator(schema).validate(value);
    const nearest = errors.at(-1);
    return valid ? undefined : `${nearest?.instanceLocation}: ${nearest?.error}`;
  }

  #validator(schema: JsonSchema): Validator {
    const found = this.#validators.get(schema);
    if (found) return found;
    // References go to the components, so these have to be within the same schema.
    const whole = { ...schema, components: this.document.components };
    const made = new Validator(whole as ConstructorParameters<typeof Validator>[0], "2020-12");
    this.#validators.set(schema, made);
    return made;
  }
}

function operationOf(path: string, method: string, of: OperationObject): Operation {
  const content = of.requestBody?.content;
  const first = content && Object.values(content)[0];
  return {
    id: of.operationId,
    method: method.toUpperCase(),
    path,
    role: of["x-role"],
    parameters: of.parameters ?? [],
    body: first
      ? { required: of.requestBody?.required ?? false, schema: first.schema, types: Object.keys(content) }
      : null,
    responses: of.responses,
  };
}

/** Fixed paths come before those with parameters: no two of ours meet. */
function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}
