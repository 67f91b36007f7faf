/** One run of the fuzzer: requests of every operation in turn, and what was found, each finding once. */
import fc from "fast-check";
import type { FuzzAnswer } from "./answers.ts";
import type { Api } from "./operations.ts";
import { Promises, type Secrets } from "./promises.ts";
import { type FuzzRequest, requestsOf, type World } from "./requests.ts";

/** How a request is sent. */
export type Send = (request: FuzzRequest) => Promise<FuzzAnswer>;

export interface Fuzzing {
  api: Api;
  world: World;
  secrets: Secrets;
  /** The page that documents problems. */
  problems: string;
  /** Requests of each operation. */
  each: number;
  seed: number;
  send: Send;
  /** Puts the document back, of which requests take pieces. */
  restore: () => Promise<void>;
}

/** What came of it. */
export interface Found {
  requests: number;
  /** Answers by hundreds of their status. */
  answers: Record<string, number>;
  /** Operations by the statuses that they answered. */
  statuses: Record<string, number[]>;
  /** Broken promises: the first request of each kind, in words. */
  broken: string[];
}

/** The document is put back after so many requests of each operation. */
const ROUND = 2;

/** Sends the requests one after the other. The same seed sends the same. */
export async function fuzz({ restore, ...fuzzing }: Fuzzing): Promise<Found> {
  const { api, each, send } = fuzzing;
  const promises = new Promises(api, fuzzing.secrets, fuzzing.problems);
  const requests = samples(fuzzing);
  const found: Found = { requests: 0, answers: {}, statuses: {}, broken: [] };
  const kinds = new Set<string>();
  for (let round = 0; round < each; round++) {
    if (round % ROUND === 0) await restore();
    for (const { id, of } of requests) {
      const request = of[round]!;
      const answer = await send(request);
      found.requests++;
      const hundred = `${Math.floor(answer.status / 100)}xx`;
      found.answers[hundred] = (found.answers[hundred] ?? 0) + 1;
      const operation = api.at(request)?.id;
      if (operation === id)
        found.statuses[id] = [...new Set([...(found.statuses[id] ?? []), answer.status])].sort();
      for (const sentence of promises.broken(request, answer)) {
        const kind = `${id} ${sentence.slice(0, 80)}`;
        if (!kinds.has(kind))
          found.broken.push(`${sentence}: ${wordsOf(request)} → ${wordsOfAnswer(answer)}`);
        kinds.add(kind);
      }
    }
  }
  return found;
}

/** Requests of every operation. */
export function samples({ api, world, each, seed }: Pick<Fuzzing, "api" | "world" | "each" | "seed">) {
  return api.operations.map((operation, i) => ({
    id: operation.id,
    operation,
    of: fc.sample(requestsOf(api, operation, world), { numRuns: each, seed: seed + i }),
  }));
}

/** Characters of a body that are shown. */
const SHOWN = 300;

function wordsOf({ method, path, headers, body }: FuzzRequest): string {
  const sent =
    body === undefined ? "no body" : typeof body === "string" ? body : `bytes ${[...body].join(" ")}`;
  return `${method} ${path.slice(0, SHOWN)} ${JSON.stringify(headers).slice(0, SHOWN)} ${sent.slice(0, SHOWN)}`;
}

function wordsOfAnswer({ status, text }: FuzzAnswer): string {
  return `${status} ${text.slice(0, SHOWN)}`;
}
