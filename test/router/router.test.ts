/** Promises of the request path as a whole. */
import { beforeEach, describe, expect, test } from "vitest";
import { distinctIn } from "../../src/core/analysis/sketch.ts";
import { failures } from "../../src/core/analysis/tally.ts";
import { bindings, emptyKv, OBJECTS_DOWN, World } from "./world.ts";

let world: World;
beforeEach(async () => {
  await emptyKv();
  world = new World({ COUNTERS: OBJECTS_DOWN });
});

const GONE = () => Promise.reject(new Error("Network connection lost."));

/** Counts of a variant in the router's memory, before they are sent. */
function counted(variant: "blue" | "green") {
  const cells = world.router.recorder.drain(Date.now()).filter(({ row }) => row.split("|")[3] === variant);
  const total = { requests: 0, failures: 0, diverted: 0, rescued: 0 };
  for (const { tally } of cells) {
    total.requests += tally.requests;
    total.failures += failures(tally);
    total.diverted += tally.diverted;
    total.rescued += tally.rescued;
  }
  return total;
}

test("an answer of 400 to 499 is counted as refused, and its visitor as one who came", async () => {
  await world.put({ release: "2.1.0" });
  world.green.answer = () => new Response(null, { status: 404 });
  await world.ask({ visitor: 1 });
  await world.ask({ visitor: 1 });
  const [cell] = world.router.recorder.drain(Date.now());
  expect(cell!.tally).toMatchObject({ requests: 2, errors: 0, refused: 2 });
  expect(distinctIn(cell!.tally.sketch)).toBe(1);
});

describe("which side answers", () => {
  test("green by the spec, with what the router says of itself", async () => {
    await world.put({ release: "2.1.0" });
    const answer = await world.ask({
      visitor: 1,
      headers: { "x-greenlight-variant": "blue", "x-greenlight-foo": "1" },
    });
    expect(await answer.text()).toBe("green");
    const { headers } = world.green.seen[0]!;
    expect(Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-")))).toEqual({
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-host": "shop.example.com",
      "x-forwarded-proto": "https",
      "x-greenlight-flag": "shop",
      "x-greenlight-variant": "green",
      "x-greenlight-cohort": "ga",
      "x-greenlight-release": "2.1.0",
    });
  });

  test("blue while the kill key names the flag, whatever the spec says", async () => {
    await world.put();
    await bindings.FLAGS.put("kill", "other shop");
    expect(await (await world.ask()).text()).toBe("blue");
  });

  test("a visitor stays where they are after the isolate has forgotten everything", async () => {
    await world.put({ state: "canary", percentage: 50 });
    const sides = async () =>
      Promise.all([...Array(20).keys()].map(async (i) => (await world.ask({ visitor: i })).text()));
    const before = await sides();
    world.restart();
    expect(await sides()).toEqual(before);
  });
});

describe("the visitor cookie", () => {
  const page = { headers: { "sec-fetch-dest": "document", "user-agent": "Browser/1" } };

  test("is minted on a navigation, and keeps the visitor's bucket", async () => {
    await world.put();
    const cookies = (await world.ask(page)).headers.getSetCookie();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(
      /^gl_visitor=[0-9a-f]{32}\.[0-9a-f]{8}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  test("is not minted for a script, for someone who has one, or where another id places", async () => {
    await world.put();
    expect((await world.ask({ headers: { "sec-fetch-dest": "script" } })).headers.getSetCookie()).toEqual([]);
    expect((await world.ask({ visitor: 1, ...page })).headers.getSetCookie()).toEqual([]);
    await world.put({ stickBy: "header:x-user-id" });
    world.restart();
    expect((await world.ask(page)).headers.getSetCookie()).toEqual([]);
  });
});

describe("green that fails", () => {
  test.each([502, 503, 504, 521, 530])("with %i is rescued by blue, and charged", async (status) => {
    await world.put();
    world.green.answer = () => new Response("broken", { status });
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue");
    expect(world.blue.seen[0]!.headers.get("x-greenlight-variant")).toBe("blue");
    expect(counted("green")).toEqual({ requests: 1, failures: 1, diverted: 0, rescued: 1 });
  });

  test("its rescue enters no sum of blue", async () => {
    await world.put();
    world.green.answer = GONE;
    await world.ask({ visitor: 1 });
    expect(counted("blue")).toEqual({ requests: 0, failures: 0, diverted: 0, rescued: 0 });
  });

  test.each([
    ["a POST", { method: "POST" }],
    ["a range", { headers: { range: "bytes=0-9" } }],
    ["an upgrade", { headers: { upgrade: "websocket" } }],
  ])("%s is not rescued", async (_, question) => {
    await world.put();
    world.green.answer = GONE;
    const answer = await world.ask({ visitor: 1, ...question });
    expect(answer.status).toBe(502);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.text()).not.toContain("GREEN");
    expect(world.blue.seen).toEqual([]);
  });

  test("with 500 is rescued only where any 5xx is to be", async () => {
    await world.put();
    world.green.answer = () => new Response("oops", { status: 500 });
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("oops");
    await world.put({ route: { rescue: "any-5xx" } });
    world.restart();
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue");
  });

  test("past the budget goes out as it is", async () => {
    await world.put({ route: { breaker: { failureThreshold: 1000 } } });
    world.green.answer = () => new Response("broken", { status: 503 });
    const answers: string[] = [];
    for (let i = 0; i < 8; i++) answers.push(await (await world.ask({ visitor: i })).text());
    expect(answers).toEqual([...Array(5).fill("blue"), ...Array(3).fill("broken")]);
  });

  test("by silence is rescued after `rescueAfter`, and 504 where it cannot be", async () => {
    await world.put({ route: { rescueAfter: 0.05, timeout: 0.1 } });
    world.green.answer = () => new Promise(() => undefined);
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue");
    expect((await world.ask({ visitor: 1, method: "POST" })).status).toBe(504);
    expect(counted("green")).toMatchObject({ requests: 2, failures: 2, rescued: 1 });
  });

  test("opens the breaker: blue at once, counted as diverted and not as a request of blue", async () => {
    await world.put({ route: { rescue: "off" } });
    world.green.answer = GONE;
    for (let i = 0; i < 5; i++) expect((await world.ask({ visitor: i })).status).toBe(502);
    for (let i = 0; i < 3; i++) expect(await (await world.ask({ visitor: i })).text()).toBe("blue");
    expect(world.green.seen).toHaveLength(5);
    const cells = world.router.recorder.drain(Date.now());
    expect(cells.map(({ row }) => row)).toEqual(["shop|unversioned|ga|green|hash"]);
    expect(cells[0]!.tally).toMatchObject({ requests: 5, connect: 5, diverted: 3 });
  });

  test("is asked again where the route says so, and counted once", async () => {
    await world.put({ route: { retry: { attempts: 3, baseDelay: 0, jitter: 0 } } });
    let tries = 0;
    world.green.answer = () => (++tries < 3 ? GONE() : new Response("third"));
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("third");
    expect(counted("green")).toMatchObject({ requests: 1, failures: 0 });
  });
});

describe("blue that fails", () => {
  test("is 502 without a word about the origin; green is the way out where the route allows it", async () => {
    await world.put({ state: "canary", percentage: 0 });
    world.blue.answer = GONE;
    const answer = await world.ask({ visitor: 1 });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([502, "application/problem+json"]);
    await world.put({ state: "canary", percentage: 0, route: { wayOut: true } });
    world.restart();
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
    expect(counted("green").requests).toBe(0);
    await bindings.FLAGS.put("kill", "shop");
    world.restart();
    expect((await world.ask({ visitor: 1 })).status).toBe(502);
  });

  test("with listed statuses is counted as failing", async () => {
    await world.put({ state: "off", route: { errorStatuses: [418] } });
    world.blue.answer = () => new Response("teapot", { status: 418 });
    expect((await world.ask({ visitor: 1 })).status).toBe(418);
    expect(counted("blue")).toMatchObject({ requests: 1, failures: 1 });
  });
});

describe("without a route", () => {
  test("no document at all is 503, and says how to put one", async () => {
    const answer = await world.ask();
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("wrangler kv key put");
  });

  test("the default origin answers where there is one", async () => {
    world = new World({ DEFAULT_ORIGIN: "service:BLUE", COUNTERS: OBJECTS_DOWN });
    expect(await (await world.ask({ headers: { "x-greenlight-flag": "forged" } })).text()).toBe("blue");
    expect(world.blue.seen[0]!.headers.has("x-greenlight-flag")).toBe(false);
  });

  test("a host that no route names is 404", async () => {
    await world.put({ route: { hosts: ["elsewhere.example"] } });
    expect((await world.ask()).status).toBe(404);
  });
});

describe("garbage", () => {
  test.each([
    "",
    "{",
    "\0\xff",
    "[]",
    "null",
    '{"flags":7}',
    '{"flags":{"shop":{"state":"on"}}}',
    '{"flags":{"shop":null}}',
  ])("as document breaks no traffic: %j", async (text) => {
    await world.put();
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
    await bindings.FLAGS.put("flags", text);
    await bindings.FLAGS.put("snapshot", text);
    await world.refresh();
    expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
  });
});
