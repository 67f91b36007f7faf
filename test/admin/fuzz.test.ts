/**
 * What no request may do to the admin API, whatever is in it: requests made from the OpenAPI document, straight and
 * bent. The same seed makes the same requests; `npm run bench -- fuzz` sends thousands with other seeds.
 */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type FuzzAnswer, readAnswer } from "../../bench/fuzz/answers.ts";
import { Api, type ApiDocument } from "../../bench/fuzz/operations.ts";
import type { FuzzRequest } from "../../bench/fuzz/requests.ts";
import { fuzz } from "../../bench/fuzz/run.ts";
import { strangersWith, trespass } from "../../bench/fuzz/strangers.ts";
import { documentFor, SHOP_HOST, worldOf } from "../../bench/fuzz/world.ts";
import problems from "../../docs/problems.md?raw";
import { routes } from "../../src/admin/routes/all.ts";
import { type AuditEntry, verifyChain } from "../../src/core/rollout/audit-chain.ts";
import { receiverSecrets } from "../support/receiver-secrets.ts";
import { ADMIN_TOKENS, EXPIRED, TOKENS } from "../support/tokens.ts";
import { API, ask, call } from "./parts.ts";

const SEED = 20_301;
/** Requests of each operation, by an admin and by each of those who may not. */
const EACH = 8;
const OF_STRANGER = 1;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

const origin = inject("receivers");
const document = documentFor({ blue: origin, green: origin });
const world = worldOf(document);
const bindings = env as unknown as Env;
const secrets = {
  never: [
    ...Object.values(TOKENS),
    EXPIRED,
    ...ADMIN_TOKENS.split(" ").map((line) => line.split(":")[2]!),
    ...Object.values(receiverSecrets(origin)),
  ],
  origins: [new URL(origin).host],
};

let api: Api;
let addresses = 0;

async function send(request: FuzzRequest, token: string | null = TOKENS.admin): Promise<FuzzAnswer> {
  const { method, path, headers, body } = request;
  // The runtime warns of a header that is not ASCII; the bench sends those as well.
  const given = Object.entries(headers).filter(([, text]) => /^[\x20-\x7e\t]*$/.test(text));
  const all = new Headers([...given, ["cf-connecting-ip", `192.0.2.${++addresses}`]]);
  if (token !== null) all.set("authorization", `Bearer ${token}`);
  return readAnswer(
    await exports.default.fetch(`${API}${path}`, {
      method,
      headers: all,
      ...(body !== undefined && { body }),
    }),
  );
}

/** A path as `fetch` sends it: its dots are followed. */
function asFetched(path: string): string {
  const { pathname, search } = new URL(`${API}${path}`);
  return `${pathname}${search}`.replace(new URL(API).pathname, "");
}

async function restore(): Promise<void> {
  const headers = { "if-match": "*" };
  const text = JSON.stringify(document, null, 2);
  expect((await ask("PUT", "/document", { headers, body: text })).status).toBe(200);
  for (const flag of Object.keys(document.flags)) await (await call("POST", `/flags/${flag}/resume`)).text();
}

async function audit(): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let path: string | null = "/audit?limit=200"; path !== null; ) {
    const page = (await ask("GET", path)).body as unknown as { entries: AuditEntry[]; next: number | null };
    entries.push(...page.entries);
    path = page.next === null ? null : `/audit?limit=200&before=${page.next}`;
  }
  return entries.reverse();
}

/** All that a write could change. */
async function everything() {
  const { revision, enabled, halts, kill, spec, flags } = (await ask("GET", "/status")).body;
  return {
    status: { revision, enabled, halts, kill, spec, flags },
    flags: (await ask("GET", "/flags")).etag,
    revisions: (await ask("GET", "/revisions")).text,
    audit: (await audit()).at(-1),
    keys: await bindings.FLAGS.get(["kill", "flags", "snapshot"]),
    pull: (await ask("GET", "/pull")).body.type,
  };
}

beforeAll(async () => {
  api = new Api((await ask("GET", "/openapi.json")).body as unknown as ApiDocument, asFetched);
  await restore();
});

describe("the admin API", { timeout: 60_000 }, () => {
  it("has no route that its document leaves out, and says so of every other method", async () => {
    const own = routes.routes.filter(({ method }) => method !== "ALL");
    const there = own.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    const said = new Set(api.operations.map(({ method, path }) => `${method} ${path}`));
    expect(there.length).toBeGreaterThan(40);
    expect([...new Set(there)].filter((route) => !said.has(route))).toEqual([]);
    for (const path of Object.keys(api.document.paths)) {
      const methods = api.operations.filter((one) => one.path === path).map(({ method }) => method);
      if (methods.includes("GET")) methods.push("HEAD");
      for (const method of METHODS.filter((one) => !methods.includes(one))) {
        const answer = await call(method, path.replace(/\{\w+\}/, "1"));
        await answer.text();
        const allow = answer.headers.get("allow");
        expect([method, path, answer.status, allow]).toEqual([method, path, 405, methods.sort().join(", ")]);
      }
    }
  });

  it("changes nothing for those who may not, and lets them read nothing", async () => {
    const before = await everything();
    const strangers = strangersWith({ ...TOKENS, expired: EXPIRED });
    const { requests, broken } = await trespass({
      api,
      world,
      strangers,
      each: OF_STRANGER,
      seed: SEED,
      send,
    });
    expect(requests).toBeGreaterThan(100);
    expect(broken).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it("answers as its document says whatever it is asked, and gives no secret away; then all is well", async () => {
    const found = await fuzz({ api, world, secrets, problems, each: EACH, seed: SEED, send, restore });
    expect(found.broken).toEqual([]);
    // It is no use to send what is refused at the door. Some commands need a rollout that waits for just them.
    const done = Object.values(found.statuses).filter((statuses) => statuses.some((status) => status < 300));
    expect(done.length).toBeGreaterThan(0.75 * api.operations.length);

    await restore();
    expect(verifyChain(await audit())).toMatchObject({ ok: true });
    // A flag that was taken out and put back is known to an isolate with its next look at KV.
    await vi.waitFor(async () => {
      const visit = await exports.default.fetch(`http://${SHOP_HOST}/`);
      await visit.text();
      expect(visit.status).toBe(200);
    }, 5000);
  });
});
