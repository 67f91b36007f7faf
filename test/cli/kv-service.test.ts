import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { KvService, PLACE_HEADER } from "../../src/cli/kv-service.ts";

const open: KvService[] = [];
async function start(dir?: string): Promise<KvService> {
  const kv = await KvService.start(dir === undefined ? {} : { dir });
  open.push(kv);
  return kv;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((kv) => kv.stop()));
});

function get(kv: KvService, key: string, place?: number): Promise<Response> {
  const headers: Record<string, string> = place === undefined ? {} : { [PLACE_HEADER]: String(place) };
  return fetch(`http://127.0.0.1:${kv.port}/${encodeURIComponent(key)}?urlencoded=true`, { headers });
}

test("a put over HTTP with metadata is read with it, and a plain put clears it", async () => {
  const kv = await start();
  const url = `http://127.0.0.1:${kv.port}/flags`;
  await fetch(url, { method: "PUT", body: "one", headers: { "CF-KV-Metadata": '{"revision":1}' } });
  expect((await get(kv, "flags")).headers.get("cf-kv-metadata")).toBe('{"revision":1}');
  await fetch(url, { method: "PUT", body: "two" });
  const answer = await get(kv, "flags");
  expect(await answer.text()).toBe("two");
  expect(answer.headers.get("cf-kv-metadata")).toBeNull();
});

test("a missing key is 404 alone and null in bulk", async () => {
  const kv = await start();
  kv.put("a", "1", { revision: 7 });
  expect((await get(kv, "b")).status).toBe(404);
  const body = JSON.stringify({ keys: ["a", "b"], withMetadata: true });
  const bulk = await fetch(`http://127.0.0.1:${kv.port}/bulk/get`, { method: "POST", body });
  expect(await bulk.json()).toEqual({ a: { value: "1", metadata: { revision: 7 } }, b: null });
});

test("any bytes are kept as they are", async () => {
  const kv = await start();
  const bytes = Uint8Array.from([0, 255, 254, 10]);
  await fetch(`http://127.0.0.1:${kv.port}/flags`, { method: "PUT", body: bytes });
  expect(new Uint8Array(await (await get(kv, "flags")).arrayBuffer())).toEqual(bytes);
});

test("a frozen place reads what was there when it froze, until it is live again; others see the news", async () => {
  const kv = await start();
  kv.put("flags", "old");
  kv.setPlace(1, "stale");
  kv.put("flags", "new");
  expect(await (await get(kv, "flags", 1)).text()).toBe("old");
  expect(await (await get(kv, "flags", 2)).text()).toBe("new");
  kv.setPlace(1, "live");
  expect(await (await get(kv, "flags", 1)).text()).toBe("new");
});

test("a place that is down answers errors, also to puts", async () => {
  const kv = await start();
  kv.put("flags", "old");
  kv.setPlace(1, "down");
  expect((await get(kv, "flags", 1)).status).toBe(500);
  expect((await get(kv, "flags", 2)).status).toBe(200);
});

test("with a folder, values and metadata are there after a restart", async () => {
  const dir = await mkdtemp(join(tmpdir(), "greenlight-kv-"));
  try {
    const first = await start(dir);
    first.put("flags", "text", { revision: 3 });
    first.put("kill", "");
    first.put("gone", "x");
    first.delete("gone");
    await first.stop();
    open.length = 0;
    const second = await start(dir);
    expect(second.get("flags")).toEqual({ text: "text", metadata: { revision: 3 } });
    expect(second.get("kill")).toEqual({ text: "", metadata: undefined });
    expect(second.get("gone")).toBeUndefined();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
