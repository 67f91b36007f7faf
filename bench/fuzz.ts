/** Thousands of requests to the admin API, made from its OpenAPI document, straight and bent: what they break. */
import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Running, startServe } from "../src/cli/running.ts";
import { hashToken, type Role, tokenLine } from "../src/core/auth/tokens.ts";
import { type AuditEntry, verifyChain } from "../src/core/rollout/audit-chain.ts";
import { Connection } from "./connection.ts";
import { type Bench, type Figure, isExactly, type Named } from "./figure.ts";
import { Api, type ApiDocument } from "./fuzz/operations.ts";
import { type Found, fuzz } from "./fuzz/run.ts";
import { senderTo } from "./fuzz/send.ts";
import { strangersWith, trespass } from "./fuzz/strangers.ts";
import { documentFor, SHOP_HOST, worldOf } from "./fuzz/world.ts";
import { startOrigin } from "./origin.ts";
import { ask, portOf } from "./router.ts";
import { until } from "./until.ts";
import { pageRequest } from "./visitors.ts";

/** Requests of each operation by an admin, and by each of those who may not. */
const EACH = { quick: 40, full: 250 };
const OF_STRANGER = { quick: 2, full: 4 };
/** Visitors who come afterwards. */
const VISITORS = 40;
/** An isolate looks at KV each ten seconds, milliseconds. */
const KNOWN_MS = 15_000;
/** So many broken promises are told; the first one is the one to mend. */
const TOLD = 20;

const SECRET = "fuzz-secret-0123456789abcdef";
const tokenOf = (name: string) => `fuzz-${name}-0123456789abcdef`;

async function measure(bench: Bench): Promise<Figure[]> {
  const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
  bench.say(`FUZZ_SEED=${seed} makes the same requests again`);
  const [blue, green, source] = await Promise.all([
    startOrigin("blue"),
    startOrigin("green"),
    startOrigin("blue"),
  ]);
  const origins = { blue: blue.url, green: green.url };
  const document = documentFor(origins);
  const log: string[] = [];
  const running = await startServe({
    bundle: bench.bundle,
    flags: JSON.stringify(document),
    vars: {
      ADMIN_TOKENS: tokens(),
      PULL_URL: source.url,
      PULL_HEADERS: '{ "apikey": "secret:FUZZ_SECRET" }',
      FUZZ_SECRET: SECRET,
    },
    onLog: (text) => log.push(text),
  });
  try {
    const api = new Api((await (await ask(running, "/openapi.json")).json()) as ApiDocument);
    const world = worldOf(document);
    const send = senderTo(running.isolates[0]!, api.base);
    const restore = async () => {
      const headers = { "if-match": "*" };
      await ask(running, "/document", { method: "PUT", headers, body: document });
      for (const flag of Object.keys(document.flags))
        await (await ask(running, `/flags/${flag}/resume`, { method: "POST", any: true })).text();
    };
    await restore();
    const hosts = Object.values(origins).map((url) => new URL(url).host);
    const roles = Object.fromEntries(ROLES.map((role) => [role, tokenOf(role)])) as Record<Role, string>;
    const all = [running.token, SECRET, tokenOf("expired"), ...Object.values(roles)];
    const never = [...all, ...all.map(hashToken)];

    const before = await everything(running);
    const strangers = strangersWith({ ...roles, expired: tokenOf("expired") });
    const each = bench.quick ? OF_STRANGER.quick : OF_STRANGER.full;
    const shut = await trespass({ api, world, strangers, each, seed, send });
    const changed = (await everything(running)) === before ? 0 : 1;
    bench.say(`${shut.requests} requests by those who may not`);

    const found = await fuzz({
      api,
      world,
      secrets: { never, origins: hosts },
      problems: await readFile(join(import.meta.dirname, "../docs/problems.md"), "utf8"),
      each: bench.quick ? EACH.quick : EACH.full,
      seed,
      send: (request) => send(request, running.token),
      restore,
    });
    for (const sentence of [...shut.broken, ...found.broken].slice(0, TOLD)) bench.say(sentence);
    await restore();
    // A flag that was taken out and put back is known to an isolate with its next look at KV.
    await until("the shop is served", KNOWN_MS, async () => (await visitors(running, 1)) === 1);
    return [
      ...figures(api, found, seed),
      isExactly(
        "routes that let in who may not",
        shut.broken.length,
        0,
        `${shut.requests} requests by six strangers`,
      ),
      isExactly(
        "changes by those who may not",
        changed,
        0,
        "status, document, revisions, audit log, KV, pull",
      ),
      isExactly("tokens and secrets in the log", leaksIn(log.join(""), never), 0),
      isExactly("records of an audit log whose chain is broken", await brokenChain(running), 0),
      isExactly("visitors who are served afterwards", await visitors(running, VISITORS), VISITORS),
    ];
  } finally {
    await Promise.all([running, blue, green, source].map((it) => it.stop()));
  }
}

const ROLES: readonly Role[] = ["viewer", "reporter", "operator"];

/** A token of each lower role, and one of an admin that is over. */
function tokens(): string {
  const lines: { name: string; role: Role; expires: number | undefined }[] = [
    ...ROLES.map((role) => ({ name: role, role, expires: undefined })),
    { name: "expired", role: "admin", expires: Date.UTC(2020, 0, 1) },
  ];
  return lines.map((line) => tokenLine({ ...line, sha256: hashToken(tokenOf(line.name)) })).join("\n");
}

function figures(api: Api, { requests, answers, statuses, broken }: Found, seed: number): Figure[] {
  const spread = Object.entries(answers)
    .sort()
    .map(([hundred, count]) => `${count} of ${hundred}`)
    .join(", ");
  const done = Object.values(statuses).filter((all) => all.some((status) => status < 300)).length;
  return [
    isExactly(
      "broken promises",
      broken.length,
      0,
      `${requests} requests to ${api.operations.length} operations, seed ${seed}: ${spread}`,
    ),
    isExactly("answers of the 500s", answers["5xx"] ?? 0, 0),
    {
      name: "operations that did what they were asked",
      value: `${done} of ${api.operations.length}`,
      number: done,
    },
  ];
}

/** All that a write could change, as a text. */
async function everything(running: Running): Promise<string> {
  const { revision, enabled, halts, spec, flags } = (await (await ask(running, "/status")).json()) as Record<
    string,
    unknown
  >;
  const rest = ["/revisions", "/audit", "/pull"].map(async (path) => (await ask(running, path)).text());
  const keys = ["kill", "flags", "snapshot"].map((key) => running.kv.get(key));
  return JSON.stringify([revision, enabled, halts, spec, flags, await Promise.all(rest), keys]);
}

function leaksIn(log: string, secrets: readonly string[]): number {
  return secrets.filter((secret) => log.includes(secret)).length;
}

/** 0: the chain holds from its first record on. */
async function brokenChain(running: Running): Promise<number> {
  const entries: AuditEntry[] = [];
  for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
    const page = await ask(running, `/audit?limit=200&before=${before}`);
    const { entries: found, next } = (await page.json()) as { entries: AuditEntry[]; next: number | null };
    entries.push(...found);
    before = next;
  }
  const chain = verifyChain(entries.reverse());
  return chain.ok ? 0 : chain.id;
}

/** Of so many visitors: how many are answered well. */
async function visitors(running: Running, count: number): Promise<number> {
  const connection = new Connection(portOf(running.isolates[0]!));
  let served = 0;
  for (let i = 0; i < count; i++) {
    const { status } = await connection.ask(pageRequest(i, SHOP_HOST));
    if (status === 200) served++;
  }
  connection.close();
  return served;
}

export const fuzzing: Named = {
  name: "fuzz",
  about: "requests to the admin API made from its OpenAPI document, straight and bent",
  run: measure,
};
