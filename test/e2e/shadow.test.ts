import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "../support/ask.ts";
import { eventually, type Given, given } from "../support/given.ts";
import { status } from "../support/status.ts";

const SOON_MS = 10_000;

let g: Given;
beforeAll(async () => {
  g = await given({ state: "shadow" });
});
afterAll(() => g.stop());

test("a flag in shadow: blue serves, green gets a copy that says so, and is counted apart", async () => {
  for (let i = 0; i < 10; i++) expect((await ask(g.router.url, { path: `/page?i=${i}` })).text).toBe("blue");
  await eventually(SOON_MS, async () => {
    expect(g.green.seen.map(({ target }) => target)).toEqual(g.blue.seen.map(({ target }) => target));
    const [shop] = (await status(g.router)).flags;
    const green = shop!.rows.filter(({ variant }) => variant === "green");
    expect(green).toMatchObject([{ cohort: "shadow", placement: "match", requests: 10 }]);
  });
  expect(g.green.seen[0]!.headers).toMatchObject({
    "x-greenlight-variant": "green",
    "x-greenlight-cohort": "shadow",
  });
});

test("a request with a body is not copied, and a green that fails or hangs is nobody's trouble", async () => {
  const before = g.green.seen.length;
  g.green.handler = () => undefined;
  expect((await ask(g.router.url, { method: "POST", body: "order" })).text).toBe("blue");
  expect((await ask(g.router.url)).text).toBe("blue");
  await eventually(SOON_MS, () => expect(g.green.seen.length).toBe(before + 1));
  g.green.handler = (_req, res) => void res.writeHead(500).end();
  expect((await ask(g.router.url)).status).toBe(200);
});

test("a plan's shadow stage copies too, and serves nobody from green", async ({ onTestFinished }) => {
  const plan = { stages: [{ shadow: true, duration: 3600 }, { percentage: 10 }] };
  const planned = await given({ state: "canary", plan });
  onTestFinished(() => planned.stop());
  await eventually(SOON_MS, async () => {
    expect((await ask(planned.router.url)).text).toBe("blue");
    expect(planned.green.seen.length).toBeGreaterThan(0);
  });
  const [shop] = (await status(planned.router)).flags;
  expect(shop!.rollout).toMatchObject({ phase: "progressing", stage: 0, percentage: 0 });
});
