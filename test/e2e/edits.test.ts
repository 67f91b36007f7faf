import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, NAVIGATION, visitorCookie } from "../support/ask.ts";
import { eventually, type Given, given, type ShopInput } from "../support/given.ts";

const ISOLATES = 3;
/** KV is read each second here and an edit is adopted in one more; the rest is for a slow machine. */
const SOON_MS = 10_000;

let g: Given;
beforeAll(async () => {
  g = await given({ percentage: 0 }, { isolates: ISOLATES });
});
afterAll(() => g.stop());

/** Which origin each isolate sends one visitor to. */
async function variants(): Promise<string[]> {
  return await Promise.all(g.router.isolates.map(async (url) => (await ask(url)).text));
}

async function becomes(shop: ShopInput, variant: "blue" | "green"): Promise<void> {
  g.edit(shop);
  await eventually(SOON_MS, async () => expect(await variants()).toEqual(Array(ISOLATES).fill(variant)));
}

describe("a put under the key flags", () => {
  test("is a cutover on every isolate, and putting the old file back takes it back", async () => {
    await becomes({ percentage: 0 }, "blue");
    await becomes({ state: "on" }, "green");
    await becomes({ percentage: 0 }, "blue");
  });

  test("that raises a canary moves nobody off green", async () => {
    await becomes({ percentage: 0 }, "blue");
    const share = async (cookies: (string | undefined)[]) => {
      const headers = cookies.map((cookie, i) => ({
        ...NAVIGATION,
        "user-agent": `v${i}`,
        ...(cookie && { cookie }),
      }));
      return await Promise.all(headers.map((h) => ask(g.router.url, { headers: h })));
    };
    const nobody = Array.from({ length: 150 }, () => undefined);
    const cookies = (await share(nobody)).map(visitorCookie);
    const settled = async (percentage: number, least: number) => {
      g.edit({ percentage });
      return await eventually(SOON_MS, async () => {
        const first = (await share(cookies)).map(({ text }) => text);
        // Each isolate has its own moment; the edit is through when all answer alike.
        for (const url of g.router.isolates) {
          const again = await Promise.all(cookies.map((cookie) => ask(url, { headers: { cookie } })));
          expect(again.map(({ text }) => text)).toEqual(first);
        }
        expect(first.filter((text) => text === "green").length).toBeGreaterThan(least);
        return first;
      });
    };
    const few = await settled(20, 5);
    const many = await settled(60, 60);
    const left = few.filter((text, i) => text === "green" && many[i] !== "green");
    expect(left).toEqual([]);
  });

  test.each([
    ["no JSON", "{ not json"],
    ["no text", Buffer.from([0xff, 0x00, 0xfe])],
    ["nothing", ""],
    ["another thing", "[1, 2, 3]"],
    ["a broken flag", '{ "flags": { "shop": { "state": "sideways" } } }'],
  ])("that holds %s changes nothing for visitors", async (_, text) => {
    await becomes({ state: "on" }, "green");
    const reads = g.router.kv.reads("flags");
    g.router.kv.put("flags", text);
    // All isolates and the controller have read it.
    await eventually(SOON_MS, async () => {
      expect(await variants()).toEqual(Array(ISOLATES).fill("green"));
      expect(g.router.kv.reads("flags")).toBeGreaterThan(reads + ISOLATES);
    });
    expect(await variants()).toEqual(Array(ISOLATES).fill("green"));
  });
});

describe("the key kill", () => {
  test("stops a flag by its name and lets it go on without it", async () => {
    await becomes({ state: "on" }, "green");
    for (const [kill, variant] of [
      ["other shop", "blue"],
      [" ", "green"],
      ["*", "blue"],
      ["other", "green"],
    ] as const) {
      g.router.kv.put("kill", kill);
      await eventually(SOON_MS, async () => expect(await variants()).toEqual(Array(ISOLATES).fill(variant)));
    }
    g.router.kv.put("kill", "");
  });
});

describe("a place that reads an old text", () => {
  test("stays lower for as long, and catches up when KV does", async () => {
    await becomes({ state: "on" }, "green");
    await becomes({ state: "off" }, "blue");
    // Place 1 goes on reading "off"; place 0 holds the controller, which reads the news.
    g.router.kv.setPlace(1, "stale");
    g.edit({ state: "on", notes: "again" });
    await eventually(SOON_MS, async () =>
      expect((await variants()).slice(1)).toEqual(Array(ISOLATES - 1).fill("green")),
    );
    g.router.kv.setPlace(1, "live");
    await eventually(SOON_MS, async () => expect(await variants()).toEqual(Array(ISOLATES).fill("green")));
  });

  test("serves what it knows while KV is down, cold isolates included", async () => {
    await becomes({ state: "on" }, "green");
    for (let place = 1; place <= ISOLATES; place++) g.router.kv.setPlace(place, "down");
    try {
      expect(await variants()).toEqual(Array(ISOLATES).fill("green"));
      await g.router.restart();
      await eventually(SOON_MS, async () => expect(await variants()).toEqual(Array(ISOLATES).fill("green")));
    } finally {
      for (let place = 1; place <= ISOLATES; place++) g.router.kv.setPlace(place, "live");
    }
  });
});
