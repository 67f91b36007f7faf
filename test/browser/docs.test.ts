import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Given, given } from "../support/given.ts";

const LAUNCH = {
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
};

let g: Given;
let browser: Browser;
let page: Page;
/** What the page complained about: scripts that failed, things that its policy forbids. */
const complaints: string[] = [];

beforeAll(async () => {
  g = await given({ percentage: 45 });
  browser = await chromium.launch(LAUNCH);
  page = await browser.newPage();
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("request", (request) => {
    if (!request.url().startsWith(g.router.url)) complaints.push(request.url());
  });
});

afterAll(async () => {
  await browser?.close();
  await g?.stop();
});

async function enter(token: string): Promise<void> {
  await page.fill("#token", token);
  await page.click("#enter button");
}

test("the page to try the API says who may not come in, shows every route, and sends what is filled in", async () => {
  await page.goto(`${g.router.url}/_greenlight/api/docs`);
  await enter("a-wrong-token-0123456789");
  await page.getByText("A valid bearer token is needed").waitFor();
  await enter(g.router.token);
  const route = page.locator("details", { hasText: "/flags/{name}/evaluate" });
  await route.locator("summary").click();
  await route.locator("input").first().fill("shop");
  await route.locator("textarea").fill('{"bucket": 0.27}');
  await route.locator("button").click();
  await route.getByText('"enabled": true').waitFor();
  expect(await route.locator("pre").textContent()).toContain("Bucket 27,000 is below 45,000");
  expect(await page.locator("details").count()).toBeGreaterThan(40);
  expect(complaints).toEqual([]);
});
