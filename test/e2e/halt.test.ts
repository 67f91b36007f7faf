import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, NAVIGATION, visitorCookie } from "../support/ask.ts";
import { eventually, type Given, given } from "../support/given.ts";
import { api, status } from "../support/status.ts";

const ISOLATES = 3;
const VISITORS = 120;
const RULES = [{ metric: "error_rate" as const, above: 0.05, minRequests: 20 }];
const CANARY = { percentage: 50, release: "2.1.0", rules: RULES };
/** Two flush intervals and one second are promised; the rest is for a slow machine. */
const SOON_MS = 15_000;

let g: Given;
let cookies: (string | undefined)[] = [];

/** Visitors that come at the same moment: few to an isolate, as in life. */
const AT_ONCE = 12;

/** Every visitor comes once, each to the next isolate; what they got. */
async function visits(): Promise<{ green: number; errors: number }> {
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  for (let first = 0; first < VISITORS; first += AT_ONCE) {
    const wave = cookies.slice(first, first + AT_ONCE).map((cookie, i) => {
      const headers = { ...NAVIGATION, "user-agent": `visitor ${first + i}`, ...(cookie && { cookie }) };
      return ask(g.router.isolates[i % ISOLATES]!, { headers });
    });
    answers.push(...(await Promise.all(wave)));
  }
  cookies = answers.map((answer, i) => visitorCookie(answer) ?? cookies[i]);
  return {
    green: answers.filter(({ text }) => text === "green").length,
    errors: answers.filter(({ status }) => status >= 500).length,
  };
}

async function greenIsBack(): Promise<void> {
  await eventually(SOON_MS, async () => expect((await visits()).green).toBeGreaterThan(VISITORS / 4));
}

/** Waits until the controller has adopted the document in KV, of which the isolates tell it. */
async function adopted(): Promise<void> {
  await eventually(SOON_MS, async () => {
    await visits();
    expect((await status(g.router)).spec).toBe(g.router.kv.get("flags")?.text);
  });
}

async function haltedReleases(): Promise<string[]> {
  return (await status(g.router)).halts.map(({ release }) => release);
}

beforeAll(async () => {
  g = await given(CANARY, { isolates: ISOLATES });
  cookies = Array(VISITORS).fill(undefined);
  await greenIsBack();
});
afterAll(() => g.stop());

test("the sums of the status are those of the origins' own logs", async () => {
  for (let round = 0; round < 5; round++) await visits();
  await eventually(SOON_MS, async () => {
    const [shop] = (await status(g.router)).flags;
    const sum = (variant: string) =>
      shop!.rows.filter((row) => row.variant === variant).reduce((n, { requests }) => n + requests, 0);
    expect({ blue: sum("blue"), green: sum("green") }).toEqual({
      blue: g.blue.seen.length,
      green: g.green.seen.length,
    });
  });
});

describe("a green that fails", () => {
  test("is out of traffic on every isolate within seconds, and its visitors are answered", async () => {
    g.green.handler = (_req, res) => void res.writeHead(503).end("broken");
    let errors = 0;
    await eventually(SOON_MS, async () => {
      errors += (await visits()).errors;
      expect(await haltedReleases()).toEqual(["2.1.0"]);
    });
    await eventually(SOON_MS, async () => {
      const before = g.green.seen.length;
      errors += (await visits()).errors;
      expect(g.green.seen.length).toBe(before);
    });
    expect(errors).toBe(0);
  });

  test("with a sentence and figures, in the status and in the audit log", async () => {
    const { halts } = await status(g.router);
    expect(halts[0]).toMatchObject({ flag: "shop", release: "2.1.0", action: "rollback" });
    expect(halts[0]?.reason).toMatch(/\d/);
    const { entries } = JSON.parse((await api(g.router, "/audit")).text) as { entries: { action: string }[] };
    expect(entries.some(({ action }) => action === "rollback")).toBe(true);
  });

  test.each([
    ["a restart", () => g.router.restart()],
    ["an edit of its notes", () => g.edit({ ...CANARY, notes: "looking into it" })],
    ["the same document, put again", () => g.edit(CANARY)],
    ["a higher percentage", () => g.edit({ ...CANARY, percentage: 90 })],
  ])("stays out over %s", async (_, event) => {
    g.green.reset();
    const { revision } = await status(g.router);
    await event();
    await adopted();
    expect((await status(g.router)).revision).toBeGreaterThanOrEqual(revision);
    expect((await visits()).green).toBe(0);
    expect(g.green.seen).toHaveLength(0);
    expect(await haltedReleases()).toEqual(["2.1.0"]);
  });

  test("comes back with its next release, and is out again when the halted one is named", async () => {
    g.edit({ ...CANARY, release: "2.2.0" });
    await greenIsBack();
    g.edit(CANARY);
    await adopted();
    // The other isolates hear of it with their next flush or read.
    await eventually(SOON_MS, async () => expect((await visits()).green).toBe(0));
  });

  test("comes back by the command resume", async () => {
    const answer = await api(g.router, "/flags/shop/resume", "POST");
    expect(answer.status).toBe(200);
    await greenIsBack();
    expect(await haltedReleases()).toEqual([]);
  });
});
