import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { controllerStub } from "../../src/admin/controller.ts";
import { ask, call, problemOf, putDocument, SHOP } from "./parts.ts";

/** One event of a stream. */
type Event = Record<string, string>;

/** Reads a stream event by event. */
class Stream {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next event that has this name. */
  async next(name: string): Promise<Event> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) throw new Error(`the stream ended before ${name}`);
        this.#text += value;
        continue;
      }
      const lines = this.#text.slice(0, end).split("\n");
      this.#text = this.#text.slice(end + 2);
      const event = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
      if (event.event === name) return event;
    }
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

const set = (percentage: number) => ask("PUT", "/flags/shop/percentage", { body: { percentage } });
const open = async (query = "", headers = {}) =>
  new Stream(await call("GET", `/changes${query}`, { headers }));

beforeAll(() => putDocument({ shop: SHOP }));

describe("the stream of changes", () => {
  it("tells of each change with its id and of the revision, and goes on after the last id", async () => {
    const response = await call("GET", "/changes");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const stream = new Stream(response);
    await stream.next("revision");
    const { body } = await set(20);
    const change = await stream.next("change");
    expect(JSON.parse(change.data!)).toMatchObject({
      id: Number(change.id),
      flag: "shop",
      who: "test-admin",
    });
    expect(JSON.parse((await stream.next("revision")).data!).revision).toBeGreaterThanOrEqual(
      body.revision as number,
    );
    await stream.leave();
    await set(30);
    const after = Number(change.id);
    for (const again of [await open("", { "last-event-id": String(after) }), await open(`?after=${after}`)]) {
      expect(Number((await again.next("change")).id)).toBe(after + 1);
      await again.leave();
    }
  });

  it("refuses an id that is none, and more streams than an isolate can hold, until some are left", async () => {
    expect((await ask("GET", "/changes?after=x")).status).toBe(400);
    // Who looks only whether it is there holds none.
    for (let i = 0; i < 60; i++) expect((await call("HEAD", "/changes")).status).toBe(200);
    const streams: Stream[] = [];
    for (let i = 0; i < 50; i++) streams.push(await open());
    const tooMany = await ask("GET", "/changes");
    expect([tooMany.status, problemOf(tooMany)]).toEqual([503, "too-many-streams"]);
    await Promise.all(streams.map((stream) => stream.leave()));
    await (await open()).leave();
  });

  it("holds no more of them when all clients come again at the same moment", async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => call("GET", "/changes")));
    const taken = answers.filter(({ status }) => status === 200);
    await Promise.all(answers.map(({ body }) => body?.cancel()));
    expect(taken).toHaveLength(50);
    await (await open()).leave();
  });

  it("goes on with what comes next for who has followed a log that was lost", async () => {
    const ahead = { after: 999_999, revision: Number.MAX_SAFE_INTEGER, waitMs: 0 };
    const { last } = await controllerStub(env as unknown as Env).changes(ahead);
    await set(40);
    const { entries } = await controllerStub(env as unknown as Env).changes({ ...ahead, after: last });
    expect(entries).not.toHaveLength(0);
  });
});
