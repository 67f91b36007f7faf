/** What every answer of the admin API promises, whatever was asked; and what no answer may hold. */
import type { FuzzAnswer } from "./answers.ts";
import type { Api, Operation } from "./operations.ts";
import type { FuzzRequest } from "./requests.ts";

/** Texts that must not get out. */
export interface Secrets {
  /** Tokens, their hashes, secrets of the environment: in no answer. */
  never: readonly string[];
  /** Addresses of origins: only in answers of `SHOWS_FLAGS`. */
  origins: readonly string[];
}

/** Answers that hold the document or flags of it: their readers may read the document. */
const SHOWS_FLAGS = new Set([
  "getDocument",
  "getRevision",
  "getStatus",
  "listFlags",
  "getFlag",
  "createFlag",
  "putFlag",
  "patchFlag",
  "putOverride",
  "deleteOverride",
  "setPercentage",
  "switchCohort",
]);

/** Answers about what may not be allowed: that is what they are asked. */
const JUDGES = new Set(["validateDocument"]);

/** Rules that the document has in words and not in a schema: between members, and about times in words. */
const IN_WORDS =
  /is __proto__|a time from 1m to 30d|One tenant cannot be in shadow|either (?:mode or version|ms or value|user or tenant)|Name either a user or a tenant|at most 64 attributes/;

/** Traces of a program, and paths of a machine. */
const TRACES = /\bat [\w.<>]+ \(|\bat async |\.[tj]s:\d+|node_modules|file:\/\/|\/(?:home|root|work)\//;

/** Says which promises an answer breaks, each in some words; none: it keeps them all. */
export class Promises {
  readonly #api: Api;
  readonly #secrets: Secrets;
  readonly #problems: ReadonlySet<string>;

  /** `problems`: the page that documents them. */
  constructor(api: Api, secrets: Secrets, problems: string) {
    this.#api = api;
    this.#secrets = secrets;
    this.#problems = new Set(
      [...problems.matchAll(/^\| `([\w-]+)` \| (\d+) \|/gm)].map((m) => `${m[1]} ${m[2]}`),
    );
  }

  broken(request: FuzzRequest, answer: FuzzAnswer): string[] {
    const operation = this.#api.at(request);
    const found = [
      this.#leak(operation, answer),
      answer.status >= 500 && "an answer of the 500s",
      answer.cacheControl !== "no-store" && "may be stored by caches",
      operation ? this.#form(operation, answer) : this.#nothing(answer),
      operation && this.#asked(operation, request, answer),
    ];
    return found.filter((one) => typeof one === "string");
  }

  #leak(operation: Operation | undefined, { headers, text }: FuzzAnswer): string | undefined {
    const whole = `${headers}\n${text}`;
    if (this.#secrets.never.some((secret) => whole.includes(secret))) return "holds a token or a secret";
    if (TRACES.test(whole)) return `holds a trace or a path: ${TRACES.exec(whole)?.[0]}`;
    if (SHOWS_FLAGS.has(operation?.id ?? "")) return undefined;
    return this.#secrets.origins.some((origin) => whole.includes(origin))
      ? "holds an origin's address"
      : undefined;
  }

  /** Is the answer one that the document allows? */
  #form({ responses }: Operation, answer: FuzzAnswer): string | undefined {
    const { status, type, text } = answer;
    const said = responses[String(status)];
    if (!said) return `status ${status} is not in the document`;
    const content = said.content;
    if (!content) return text === "" ? undefined : "a body where the document has none";
    const schema = content[type]?.schema;
    if (!schema) return `status ${status} with type ${type}`;
    if (type === "text/event-stream") return undefined;
    const value = parsed(text);
    if (value === undefined) return "no JSON";
    const fault = this.#api.fault(schema, value);
    return fault === undefined ? this.#problem(answer) : `status ${status}: ${fault}`;
  }

  /** Nothing is there, and it is said so. */
  #nothing(answer: FuzzAnswer): string | undefined {
    if (![400, 404, 405, 413].includes(answer.status)) return `status ${answer.status} where nothing is`;
    // A path in disguise is told nothing at all.
    const isDisguised = answer.status === 404 && !("detail" in (parsed(answer.text) as object));
    return isDisguised ? undefined : this.#problem(answer);
  }

  #problem({ status, type, text }: FuzzAnswer): string | undefined {
    if (status < 400) return undefined;
    if (type !== "application/problem+json") return `a problem of type ${type}`;
    const { type: name, status: said, detail } = parsed(text) as Record<string, unknown>;
    const known = `${String(name).replace("urn:greenlight:problem:", "")} ${status}`;
    if (said !== status || !this.#problems.has(known)) return `a problem that is not documented: ${known}`;
    return typeof detail === "string" && detail.length > 10 ? undefined : `${known} does not say what to do`;
  }

  /** What the document allows is no bad request, and what it does not allow is not done. */
  #asked(
    operation: Operation,
    { isAllowed, body }: FuzzRequest,
    { status, text }: FuzzAnswer,
  ): string | undefined {
    if (isAllowed && (status === 400 || status === 415) && !IN_WORDS.test(text))
      return `allowed by the document, refused: ${text.slice(0, 300)}`;
    if (!operation.body || typeof body !== "string" || status >= 300 || JUDGES.has(operation.id))
      return undefined;
    const value = body.trim() === "" ? {} : parsed(body);
    if (value === undefined) return undefined;
    const fault = this.#api.fault(operation.body.schema, value);
    return fault === undefined ? undefined : `done, though the document does not allow it: ${fault}`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
