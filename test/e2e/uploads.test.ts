import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../support/ask.ts";
import { type Given, given } from "../support/given.ts";

let g: Given;
beforeAll(async () => {
  g = await given({ state: "off", route: { timeout: 1.5 } });
});
afterAll(() => g.stop());

/** Sends a body of `parts` parts, one each 250 ms, and gives the answer's status. */
async function upload(parts: number, headers: Record<string, string | number>): Promise<number | undefined> {
  const req = request(g.router.url, { method: "POST", headers });
  const answered = once(req, "response") as Promise<[IncomingMessage]>;
  for (let i = 0; i < parts; i++) {
    req.write("0123456789");
    await sleep(250);
  }
  req.end();
  const [res] = await answered;
  res.resume();
  return res.statusCode;
}

describe("the timeout of a route", () => {
  test.each([
    ["of known length", { "content-length": 120 }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])("does not run while a body %s is still on its way", async (_, headers) => {
    // The origin answers when it has the whole body, 3 s after the first byte.
    g.blue.handler = (req, res) => void req.resume().on("end", () => res.end("thanks"));
    expect(await upload(12, headers)).toBe(200);
  });

  test("runs from the end of the body on", async () => {
    g.blue.handler = (req) => void req.resume();
    const began = performance.now();
    expect(await upload(4, { "content-length": 40 })).toBe(504);
    expect(performance.now() - began).toBeLessThan(6000);
  });

  test("a body that the origin does not want is answered before it has been sent", async () => {
    g.blue.handler = (req, res) => {
      res.writeHead(413).end("too large");
      // A socket that is closed on what is still coming is reset, and the answer in it may be lost on the way.
      req.resume();
    };
    const answer = await ask(g.router.url, { method: "POST", body: Buffer.alloc(100_000) });
    expect(answer.status).toBe(413);
  });
});
