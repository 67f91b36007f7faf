/** Promise of following changes: over a line that breaks, every one comes once. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Change, changes } from "../../../src/cli/greenlight/changes.ts";
import { Api } from "../../../src/cli/greenlight/client.ts";
import { Stopped } from "../../../src/cli/greenlight/failure.ts";
import { chain, record } from "../../core/rollout/records.ts";

const entries = chain(Array.from({ length: 9 }, (_, i) => record({ at: i, reason: `change ${i + 1}` })));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A stream of changes as the API gives it; `serve` answers each connection, told the id that it goes on from. */
async function api(serve: (after: number, answer: ServerResponse, nth: number) => void): Promise<Api> {
  let nth = 0;
  const server = createServer((request, answer) => {
    serve(Number(request.headers["last-event-id"] ?? 0), answer, nth++);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new Api({ name: null, url, token: "token", source: "test" }, 1000, new AbortController().signal);
}

const eventOf = (id: number) => `event: change\nid: ${id}\ndata: ${JSON.stringify(entries[id - 1])}\n\n`;

async function first(count: number, from: Api, lost: string[]): Promise<Change[]> {
  const until = new AbortController();
  const seen: Change[] = [];
  const following = { after: 0, onLost: (why: string) => void lost.push(why) };
  for await (const change of changes(from, following, until.signal)) {
    seen.push(change);
    if (seen.length === count) break;
  }
  until.abort();
  return seen;
}

test("each comes once, in order, though lines end, break in the middle of an event and begin with what is known", async () => {
  const askedAfter: number[] = [];
  const server = await api((after, answer, nth) => {
    askedAfter.push(after);
    answer.writeHead(200, { "content-type": "text/event-stream" });
    // The first ends well, the second breaks in an event, the third begins one too early.
    const from = nth === 2 ? after : after + 1;
    for (let id = from; id < from + 3 && id <= entries.length; id++)
      answer.write(`: still here\n\n${eventOf(id)}`);
    if (nth === 1) answer.write(eventOf(7).slice(0, 40), () => answer.destroy());
    else answer.end();
  });
  const lost: string[] = [];
  const seen = await first(8, server, lost);
  expect(seen.map((change) => change.type === "change" && change.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(askedAfter).toEqual([0, 3, 6]);
  expect(lost).toHaveLength(1);
});

test("a refusal at the first connection ends it, with what the API says", async () => {
  const server = await api((_, answer) => {
    answer.writeHead(401, { "content-type": "application/problem+json" });
    answer.end(JSON.stringify({ type: "urn:greenlight:problem:unauthorized", detail: "A token is needed" }));
  });
  const failed = await first(1, server, []).catch((error: unknown) => error);
  expect(failed instanceof Stopped && failed.failure).toMatchObject({
    exit: 4,
    sentence: "A token is needed",
  });
});
