/** The stream of changes (server-sent events): audit entries as they are written, and each new revision. */
import { createRoute, z } from "@hono/zod-openapi";
import { asIs, refused } from "../answers.ts";
import type { AdminController } from "../controller.ts";
import { controllerStub } from "../controller.ts";
import { needs, newApi } from "../routing.ts";
import { problems } from "../schemas/problem.ts";

/** Streams of one isolate: each keeps a question at the controller open. */
const MAX_STREAMS = 50;
/** A question waits so long for a change; then a comment keeps proxies from closing the stream. Milliseconds. */
const WAIT_MS = 15_000;
/** A stream ends then, so that none lives on by an isolate of before a deploy: the client comes again. Milliseconds. */
const STREAM_MS = 10 * 60_000;
/** The client is told to come again after so many milliseconds. */
const RETRY_MS = 1_000;
/** A controller that has too many questions open answers at once: then it is asked no faster than this, milliseconds. */
const PAUSE_MS = 1_000;
/** Higher than any revision: asked with it, the controller says which it has. */
const LATEST = Number.MAX_SAFE_INTEGER;

export const changes = newApi();

let open = 0;

const id = z
  .string()
  .regex(/^\d{1,15}$/, "the id of an event")
  .transform(Number);
const from = { type: "string" as const, pattern: "^[0-9]{1,15}$", example: "41" };

changes.openapi(
  createRoute({
    method: "get",
    path: "/changes",
    operationId: "watchChanges",
    tags: ["audit"],
    summary: "Server-sent events: `change` with an audit entry and its id, `revision` with the new one.",
    description:
      "Goes on after `Last-Event-ID` or `after`; without one it begins now. A comment comes every 15 s. It ends after 10 minutes: come again with the last id.",
    ...needs("viewer"),
    request: {
      query: z.object({ after: id.optional().openapi(from) }),
      headers: z.object({ "last-event-id": id.optional().openapi(from) }),
    },
    responses: {
      200: {
        description: "The stream",
        content: {
          "text/event-stream": { schema: z.string().openapi({ example: "event: revision\ndata: {}\n\n" }) },
        },
      },
      ...problems("too-many-streams"),
    },
  }),
  async (c) => {
    if (open >= MAX_STREAMS) {
      const sentence = `${MAX_STREAMS} streams are open here already. Poll GET /audit, or try again.`;
      return refused("too-many-streams", sentence, {}, { "retry-after": "5" });
    }
    const headers = { "content-type": "text/event-stream" };
    if (c.req.raw.method === "HEAD") return asIs(new Response(null, { headers }));
    const after = c.req.valid("header")["last-event-id"] ?? c.req.valid("query").after;
    const stub = () => controllerStub(c.env);
    // Before anything is waited for: those who come at the same time count as well.
    open++;
    try {
      const place = await placeOf(stub(), after);
      return asIs(new Response(streamOf(stub, place, c.req.raw.signal), { headers }));
    } catch (error) {
      open--;
      throw error;
    }
  },
);

/** Where a stream is. */
interface Place {
  last: number;
  revision: number;
}

/** Where a stream begins. */
async function placeOf(controller: AdminController, after: number | undefined): Promise<Place> {
  const [newest] = await controller.audit({ limit: 1 });
  const latest = newest?.id ?? 0;
  const { revision } = await controller.changes({ after: latest, revision: LATEST, waitMs: 0 });
  // An id above all there is comes from a log that was lost.
  return { last: Math.min(after ?? latest, latest), revision };
}

/** A stream, which is counted already. */
function streamOf(stub: () => AdminController, from: Place, signal: AbortSignal): ReadableStream<Uint8Array> {
  const until = Date.now() + STREAM_MS;
  const encoder = new TextEncoder();
  let place = from;
  let isOpen = true;
  // Who does not read is never asked for more: without a clock of its own such a stream would be held for ever.
  const timer = setTimeout(() => leave(), STREAM_MS);
  const leave = () => {
    if (isOpen) open--;
    isOpen = false;
    clearTimeout(timer);
  };
  signal.addEventListener("abort", leave);
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const hello = `retry: ${RETRY_MS}\n\n${eventOf("revision", { revision: from.revision })}`;
      controller.enqueue(encoder.encode(hello));
    },
    // Asked for only as fast as the client reads, one question at a time.
    async pull(controller) {
      const left = until - Date.now();
      if (!isOpen || left <= 0) {
        leave();
        controller.close();
        return;
      }
      try {
        const asked = Date.now();
        const view = await stub().changes({
          after: place.last,
          revision: place.revision,
          waitMs: Math.min(WAIT_MS, left),
        });
        const events = view.entries.map((entry) => eventOf("change", entry, entry.id));
        if (view.revision > place.revision) events.push(eventOf("revision", { revision: view.revision }));
        if (events.length === 0 && Date.now() - asked < PAUSE_MS) await scheduler.wait(PAUSE_MS);
        place = { last: view.last, revision: Math.max(place.revision, view.revision) };
        controller.enqueue(encoder.encode(events.length > 0 ? events.join("") : ": nothing new\n\n"));
      } catch {
        // The controller is being replaced: the client comes again, and goes on from its last id.
        leave();
        controller.close();
      }
    },
    cancel: leave,
  });
}

function eventOf(event: string, data: object, id?: number): string {
  const line = id === undefined ? "" : `id: ${id}\n`;
  return `event: ${event}\n${line}data: ${JSON.stringify(data)}\n\n`;
}
