/** A rehearsal: documents are flipped through at a router, visitors come after each, and the first state is restored. */
import { setTimeout as sleep } from "node:timers/promises";
import { mergedText } from "../../core/flag/merge-text.ts";
import { parseDocument } from "../../core/flag/parse.ts";
import type { WrittenDocument } from "../../core/import/imported.ts";
import { mergeInto } from "../../core/import/merge.ts";
import type { Crowd, Round } from "../demo-visitors.ts";
import type { Api } from "./client.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";
import type { Payload } from "./payload.ts";
import { SERVED_WITHIN_MS, untilServed } from "./serving.ts";
import type { Written } from "./store.ts";

/** A split may settle for so long after isolates say that they serve it, milliseconds. */
const SETTLE_MS = 5_000;
/** Between two looks at a crowd that still moves, milliseconds. */
const LOOK_MS = 250;

/** One payload of the rehearsal, as it is to be flipped to. */
export interface Scene {
  file: string;
  payload: Payload;
}

/** What visitors got of one scene. */
export interface Outcome {
  /** `as it is`, or the file. */
  scene: string;
  /** Percent that the flag asks for; null of a flag that is not there. */
  asked: number | null;
  visitors: number;
  green: number;
  /** Visitors whose side is another than in the scene before. */
  moved: number;
  /** Of these, those who left green. */
  left: number;
  /** Answers of 500 and above that visitors saw. */
  errors: number;
  /** From the write until every isolate that answered served it, milliseconds. */
  tookMs: number;
}

/** The document in force, by the API. */
export interface Stage {
  api: Api;
  text: string;
  etag: string;
  /** The flag whose traffic is watched. */
  flag: string;
}

/** The text with a payload merged into it; the command ends where that has faults. */
export function flipped(text: string, { file, payload }: Scene): string {
  const existing = JSON.parse(text.replace(/^\ufeff/, "")) as WrittenDocument;
  const { document } = mergeInto(existing, payload);
  const next = mergedText(text, document);
  const faults = next === undefined ? [] : parseDocument(next).faults;
  if (next !== undefined && faults.length === 0) return next;
  return stop({ exit: EXIT.no, sentence: `${file} cannot be put into the document in force.`, faults });
}

/** Writes a text and waits until it is served. Answers what the router said, and how long it took in milliseconds. */
export async function put(stage: Stage, text: string, reason: string): Promise<{ tookMs: number }> {
  const { api } = stage;
  if (text === stage.text) return { tookMs: 0 };
  const { value, etag } = await api.tell<Written>("/document", {
    method: "PUT",
    body: text,
    ifMatch: stage.etag,
    query: { reason },
  });
  stage.text = text;
  stage.etag = etag ?? "*";
  const served = await untilServed(api, value.revision);
  if (served.ok) return { tookMs: served.tookMs };
  return stop({
    exit: EXIT.no,
    sentence: `After ${SERVED_WITHIN_MS / 1000} s isolates still serve the document before.`,
  });
}

/** Lets everybody come, again until nobody moves any more, and says what became of them since the scene before. */
export async function visits(crowd: Crowd, stage: Stage, scene: string, tookMs: number): Promise<Outcome> {
  const rounds: Round[] = [];
  const until = performance.now() + SETTLE_MS;
  do {
    if (rounds.length > 0) await sleep(LOOK_MS);
    rounds.push(await crowd.visit(stage.api.profile.url));
  } while (rounds.at(-1)!.moved > 0 && performance.now() < until);
  const sum = (field: keyof Round) => rounds.reduce((n, round) => n + round[field], 0);
  const flag = parseDocument(stage.text).flags.get(stage.flag);
  const isWhole = flag?.state === "on";
  return {
    scene,
    asked: flag === undefined ? null : isWhole ? 100 : flag.state === "canary" ? flag.percentage : 0,
    visitors: crowd.size,
    green: rounds.at(-1)!.green,
    moved: sum("moved"),
    left: sum("left"),
    errors: sum("errors"),
    tookMs,
  };
}
