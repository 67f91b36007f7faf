/** The API's stream of changes, over as many connections as it takes. */
import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { AuditEntry } from "../../core/rollout/audit-chain.ts";
import type { Api } from "./client.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";

/** One event: an entry of the audit log, or that the revision is another one. */
export type Change =
  | { type: "change"; id: number; entry: AuditEntry }
  | { type: "revision"; revision: number };

/** Milliseconds before a connection that broke is tried again; doubles to the most. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
/** The API says something every 15 s; a line that is silent for so long is dead, milliseconds. */
const SILENT_MS = 45_000;

/** What a stream is told about. */
export interface Following {
  /** Id of the last entry that is known; undefined: from now on. */
  after: number | undefined;
  /** A connection was lost, and is tried again in so many milliseconds. */
  onLost: (why: string, retryMs: number) => void;
}

/** Every change from now on, or after an entry, until `until` is aborted. No entry comes twice, none is left out. */
export async function* changes(api: Api, following: Following, until: AbortSignal): AsyncGenerator<Change> {
  let after = following.after;
  let wait = RETRY_MS;
  let connected = false;
  while (!until.aborted) {
    const patience = new AbortController();
    let silence = setTimeout(() => patience.abort(), SILENT_MS);
    const headers = {
      accept: "text/event-stream",
      ...(after !== undefined && { "last-event-id": String(after) }),
    };
    const got = await api.fetch(
      "/_greenlight/api/changes",
      { headers },
      AbortSignal.any([patience.signal, until]),
    );
    const refused = "response" in got ? await refusal(got.response) : got;
    // Before the first connection a failure is the answer; later it is a break.
    if (refused && !until.aborted && (!connected || refused.exit !== EXIT.unreachable)) stop(refused);
    if ("response" in got && !refused) {
      connected = true;
      try {
        for await (const event of events(got.response, () => {
          clearTimeout(silence);
          silence = setTimeout(() => patience.abort(), SILENT_MS);
        })) {
          wait = RETRY_MS;
          if (event.type === "change") {
            if (after !== undefined && event.id <= after) continue;
            after = event.id;
          }
          yield event;
        }
        clearTimeout(silence);
        // The API ends a stream by itself after some minutes: nothing is wrong then.
        continue;
      } catch {
        // A break is told below and tried again.
      }
    }
    clearTimeout(silence);
    if (until.aborted) return;
    following.onLost(refused?.sentence ?? "the connection broke", wait);
    await sleep(wait, undefined, { signal: until }).catch(() => {});
    wait = Math.min(wait * 2, MAX_RETRY_MS);
  }
}

async function refusal(response: Response) {
  if (response.ok) return undefined;
  const body = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  const { status } = response;
  const exit =
    status === 401 || status === 403 ? EXIT.forbidden : status < 500 ? EXIT.refused : EXIT.unreachable;
  return { exit, status, sentence: body.detail ?? body.title ?? `The stream of changes answered ${status}.` };
}

async function* events(response: Response, onData: () => void): AsyncGenerator<Change> {
  if (!response.body) return;
  const seen = new TransformStream<string, string>({
    transform(chunk, controller) {
      onData();
      controller.enqueue(chunk);
    },
  });
  const text = response.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>);
  for await (const { event, id, data } of text.pipeThrough(seen).pipeThrough(new EventSourceParserStream())) {
    if (event === "change" && id !== undefined) {
      yield { type: "change", id: Number(id), entry: JSON.parse(data) as AuditEntry };
    } else if (event === "revision") {
      yield { type: "revision", revision: (JSON.parse(data) as { revision: number }).revision };
    }
  }
}
