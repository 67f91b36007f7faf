/** The local KV namespace of wrangler, as `wrangler kv key put --local` writes it, reached without a running session. */
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeScratch } from "./scratch.ts";

/** Folder in which wrangler keeps local state, unless told otherwise; relative to the repository. */
export const LOCAL_STATE = ".wrangler/state";

/**
 * Runs `use` on the namespace `FLAGS` kept under `state`. It is opened through a configuration that has KV only:
 * wrangler warns at length about Durable Objects that nobody asks here.
 */
export async function withLocalKv<T>(state: string, use: (kv: KVNamespace) => Promise<T>): Promise<T> {
  const { getPlatformProxy } = await import("wrangler");
  const { dir, remove } = await makeScratch(tmpdir());
  const config = {
    name: "greenlight",
    compatibility_date: "2026-10-20",
    kv_namespaces: [{ binding: "FLAGS" }],
  };
  await writeFile(join(dir, "wrangler.json"), JSON.stringify(config));
  // wrangler adds the version of its storage format only to paths that it chose itself.
  const proxy = await getPlatformProxy<{ FLAGS: KVNamespace }>({
    configPath: join(dir, "wrangler.json"),
    persist: { path: join(state, "v3") },
    envFiles: [],
  });
  try {
    return await use(proxy.env.FLAGS);
  } finally {
    await proxy.dispose();
    await remove();
  }
}

/**
 * Puts the flag document and an empty kill key on the first start only; with `force` the document in any case.
 * Returns whether the document was put.
 */
export async function seed(state: string, document: string, force: boolean): Promise<boolean> {
  return await withLocalKv(state, async (kv) => {
    if ((await kv.get("kill")) === null) await kv.put("kill", "");
    const put = force || (await kv.get("flags")) === null;
    if (put) await kv.put("flags", document);
    return put;
  });
}
