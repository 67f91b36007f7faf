import type { IncomingMessage, ServerResponse } from "node:http";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, NAVIGATION } from "../support/ask.ts";
import { eventually, type Given, given } from "../support/given.ts";
import type { Origin } from "../support/origin.ts";

/** Browsers with agents of their own; that all fall on one side at 50 % happens once in 500 runs of the test's life. */
const BROWSERS = 10;
const LAUNCH = {
  executablePath: "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
  ],
};

let g: Given;
let browser: Browser;
const contexts: BrowserContext[] = [];
/** `http://NAME.shop.localhost:port`. */
const at = (name: string) => `http://${name}.shop.localhost:${g.router.port}`;

/** A page that loads a module script of its own host, an anonymous one of the other host, and asks for data. */
function shop(origin: Origin) {
  return (req: IncomingMessage, res: ServerResponse) => {
    const type = req.url === "/" ? "text/html" : "text/javascript";
    res.writeHead(200, {
      "content-type": type,
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    if (req.url === "/data") return void res.end(origin.name);
    if (req.url === "/app.js") return void res.end(`note("${origin.name}");`);
    res.end(`<!doctype html><title>${origin.name}</title>
<script>const seen = ["${origin.name}"]; const note = (name) => seen.push(name);</script>
<script type="module" crossorigin="anonymous" src="/app.js"></script>
<script type="module" crossorigin="anonymous" src="${at("assets")}/app.js?other"></script>
<script>for (const _ of [1, 2]) fetch("/data").then((r) => r.text()).then(note);</script>`);
  };
}

beforeAll(async () => {
  g = await given({ percentage: 50, route: { cookieDomain: "shop.localhost" } });
  for (const origin of [g.blue, g.green]) {
    origin.handler = (req, res) =>
      shop(origin)(Object.assign(req, { url: req.url?.replace("?other", "") }), res);
  }
  await eventually(10_000, async () => {
    const agents = Array.from({ length: 40 }, (_, i) => ({ ...NAVIGATION, "user-agent": `probe ${i}` }));
    const answers = await Promise.all(agents.map((headers) => ask(g.router.url, { headers })));
    expect(answers.some(({ text }) => text.includes("<title>green"))).toBe(true);
  });
  browser = await chromium.launch(LAUNCH);
  for (let i = 0; i < BROWSERS; i++) contexts.push(await browser.newContext({ userAgent: `Browser ${i}` }));
});
afterAll(async () => {
  await browser?.close();
  await g.stop();
});

/** Origins that a page and all that it loaded came from: the page, two scripts, two fetches. */
async function origins(page: Page, url: string): Promise<string[]> {
  await page.goto(url);
  await page.waitForFunction("seen.length === 5");
  return await page.evaluate("seen");
}

describe("a browser stays on one variant", () => {
  test("over a page, its module scripts, an anonymous one of another subdomain, and its first parallel requests", async () => {
    const sides = new Set<string>();
    for (const context of contexts) {
      const page = await context.newPage();
      const seen = new Set(await origins(page, at("www")));
      expect(seen.size).toBe(1);
      for (const side of seen) sides.add(side);
      await page.close();
    }
    expect([...sides].sort()).toEqual(["blue", "green"]);
  });

  test("over two subdomains, opened at once by one who has never been there, and again later", async () => {
    for (const context of contexts) {
      await context.clearCookies();
      const [one, two] = await Promise.all([context.newPage(), context.newPage()]);
      const first = await Promise.all([origins(one, at("www")), origins(two, at("m"))]);
      const later = await Promise.all([origins(one, at("m")), origins(two, at("www"))]);
      expect(new Set([...first, ...later].flat()).size).toBe(1);
      await Promise.all([one.close(), two.close()]);
    }
  });

  test("by a cookie that spans the subdomains, out of reach of scripts, for a year", async () => {
    const [context] = contexts;
    const page = await context!.newPage();
    await page.goto(at("www"));
    const [cookie, ...more] = (await context!.cookies(at("m"))).filter(({ name }) => name === "gl_visitor");
    expect(more).toEqual([]);
    expect(cookie).toMatchObject({ domain: ".shop.localhost", httpOnly: true, sameSite: "Lax", path: "/" });
    const days = (cookie!.expires - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(364);
    expect(await page.evaluate("document.cookie")).toBe("");
  });
});
