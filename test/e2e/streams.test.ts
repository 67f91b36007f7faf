import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { eventually, type Given, given } from "../support/given.ts";

const MIB = 2 ** 20;
const GIB = 1024 * MIB;
/** Growth of the process that counts as flat: its own pools and buffers, far from the 1 GiB that goes through. */
const FLAT = 96 * MIB;

let g: Given;
beforeAll(async () => {
  g = await given();
});
afterAll(() => g.stop());
beforeEach(() => g.blue.reset());

/** 1 GiB whose every MiB differs. */
async function* gibibyte(): AsyncGenerator<Buffer> {
  for (let i = 0; i < GIB / MIB; i++) yield Buffer.alloc(MIB, i % 251);
}

/** A sink that counts and sums what it swallows. */
class Sink extends Writable {
  bytes = 0;
  sum = 0;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytes += chunk.length;
    this.sum = crc32(chunk, this.sum);
    done();
  }
}

async function sumOf(chunks: AsyncIterable<Buffer>): Promise<number> {
  let sum = 0;
  for await (const chunk of chunks) sum = crc32(chunk, sum);
  return sum;
}

async function residentBytes(pid: number): Promise<number> {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** Most memory that workerd held beyond what it started from, while `work` went on. */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const before = await residentBytes(g.router.pid);
  let most = before;
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  while (!over) {
    most = Math.max(most, await residentBytes(g.router.pid));
    await new Promise((next) => setTimeout(next, 20));
  }
  await done;
  return most - before;
}

function open(
  path: string,
  method = "GET",
): { req: ReturnType<typeof request>; answer: Promise<IncomingMessage> } {
  const req = request(g.router.url + path, { method, agent: false });
  const answer = once(req, "response").then(([res]) => res as IncomingMessage);
  // A test that goes away on purpose waits for no answer.
  answer.catch(() => {});
  req.on("error", () => {});
  return { req, answer };
}

describe("bodies stream", () => {
  test("1 GiB up, in flat memory", async () => {
    const sink = new Sink();
    g.blue.handler = (req, res) => void pipeline(req, sink).then(() => res.end("got it"));
    const { req, answer } = open("/upload", "POST");
    const growth = await growthDuring(Promise.all([pipeline(Readable.from(gibibyte()), req), answer]));
    (await answer).resume();
    expect(sink.bytes).toBe(GIB);
    expect(sink.sum).toBe(await sumOf(gibibyte()));
    expect(growth).toBeLessThan(FLAT);
  });

  test("1 GiB down, in flat memory", async () => {
    g.blue.handler = (_req, res) => void pipeline(Readable.from(gibibyte()), res.writeHead(200));
    const { req, answer } = open("/download");
    req.end();
    const sink = new Sink();
    const growth = await growthDuring(answer.then((res) => pipeline(res, sink)));
    expect(sink.bytes).toBe(GIB);
    expect(sink.sum).toBe(await sumOf(gibibyte()));
    expect(growth).toBeLessThan(FLAT);
  });

  test("a part of an upload is with the origin before the rest is sent", async () => {
    const first = new Promise<string>((got) => {
      g.blue.handler = (req, res) => {
        req.once("data", (chunk: Buffer) => got(chunk.toString()));
        req.once("end", () => res.end());
      };
    });
    const { req, answer } = open("/", "POST");
    req.write("first");
    expect(await first).toBe("first");
    req.end("rest");
    (await answer).resume();
  });

  test("Server-Sent Events arrive one by one, as they are sent", async () => {
    let send: (text: string) => void = () => {};
    g.blue.handler = (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      send = (text) => void res.write(text);
    };
    const { req, answer } = open("/events");
    req.end();
    const res = await answer;
    for (const event of ["data: one\n\n", "data: two\n\n"]) {
      const chunk = once(res, "data");
      send(event);
      expect(String((await chunk)[0])).toBe(event);
    }
    req.destroy();
  });

  test("headers come before the body begins", async () => {
    let finish: () => void = () => {};
    g.blue.handler = (_req, res) => {
      res.writeHead(200, { "x-early": "1" }).flushHeaders();
      finish = () => void res.end("late");
    };
    const { req, answer } = open("/");
    req.end();
    expect((await answer).headers["x-early"]).toBe("1");
    finish();
  });
});

describe("a client that goes away cancels the request at the origin", () => {
  test("before the headers", async () => {
    const asked = new Promise<IncomingMessage>((got) => {
      g.blue.handler = (req) => got(req);
    });
    const { req } = open("/hang");
    req.end();
    const atOrigin = await asked;
    // A mere end of sending could be a client that still listens; a reset is none.
    req.socket?.resetAndDestroy();
    await once(atOrigin.socket, "close");
  });

  test("in the middle of a download", async () => {
    const gone = new Promise<void>((closed) => {
      g.blue.handler = (req, res) => {
        const sending = setInterval(() => res.write("part"), 10);
        req.socket.once("close", () => {
          clearInterval(sending);
          closed();
        });
      };
    });
    const { req, answer } = open("/half");
    req.end();
    await once(await answer, "data");
    req.destroy();
    await gone;
  });
});

describe("WebSockets", () => {
  beforeAll(() => {
    g.blue.sockets(
      (socket) => {
        socket.on("message", (data, binary) => socket.send(data, { binary }));
        socket.on("close", (code, reason) => closes.push([code, reason.toString()]));
        socket.on("message", (data) => {
          if (String(data) === "close me") socket.close(4001, "as you wish");
        });
      },
      { protocol: "chat.v2" },
    );
  });
  const closes: [number, string][] = [];

  function connect(): WebSocket {
    return new WebSocket(`${g.router.url.replace("http", "ws")}/ws?a=1`, ["chat.v1", "chat.v2"]);
  }

  test("carry text and bytes both ways, with the subprotocol that the origin chose", async () => {
    const socket = connect();
    await once(socket, "open");
    expect(socket.protocol).toBe("chat.v2");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("hello");
    socket.send(Buffer.from([0, 1, 255]));
    expect((await once(socket, "message"))[0]).toEqual(Buffer.from([0, 1, 255]));
    socket.close();
    await once(socket, "close");
  });

  test("close with the origin's code and reason", async () => {
    const socket = connect();
    await once(socket, "open");
    socket.send("close me");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, "as you wish"]);
  });

  test("close with the client's code and reason", async () => {
    const socket = connect();
    await once(socket, "open");
    socket.close(4002, "bye");
    await eventually(5000, () => expect(closes).toContainEqual([4002, "bye"]));
  });
});
