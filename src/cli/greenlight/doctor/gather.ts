/** Gathers what the doctor judges: from the router, from KV through wrangler, from the project and this machine. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { FlagListView, PullView, StatusView, WhoView } from "../../../core/api/views.ts";
import { parseTokens } from "../../../core/auth/tokens.ts";
import { parseDocument } from "../../../core/flag/parse.ts";
import { ROOT } from "../../bundle.ts";
import type { Cli } from "../cli.ts";
import { Api } from "../client.ts";
import { Stopped } from "../failure.ts";
import { wranglerKv } from "../kv.ts";
import { placeOf } from "../kv-place.ts";
import { isLocal, LOCAL, type Profile, profilesFile } from "../profile.ts";
import type { Asked, Facts, HealthFacts, KvFacts, SecretFile } from "./facts.ts";
import { cliVersion, configs, leastNode, secretsOf, workerdDate, wranglerLogin } from "./machine.ts";

/** A look at something that may be down does not take longer, milliseconds. */
const LOOK_MS = 10_000;

/** All that can be known now. Never fails: what cannot be had is absent, or says why. */
export async function gather(cli: Cli): Promise<Facts> {
  const chosen = await cli.profile().then(
    (profile) => ({ ok: true as const, profile }),
    (error: unknown) => {
      if (!(error instanceof Stopped)) throw error;
      const { sentence, hint = "greenlight login" } = error.failure;
      return { ok: false as const, sentence, hint };
    },
  );
  const profile = chosen.ok ? chosen.profile : undefined;
  const local = profile !== undefined && isLocal(profile.url);
  // Another router on this machine has a KV of its own, of which nothing is known here.
  const isOurs = profile !== undefined && (!local || profile.name === LOCAL);
  const devVars = await readDevVars();
  const [router, kv, project, secrets, wrangler] = await Promise.all([
    profile ? askRouter(cli, profile) : nothingAsked(),
    isOurs ? readKv(profile) : undefined,
    configs(),
    isOurs ? secretsOf(await placeOf(profile), devVars?.names ?? []) : undefined,
    profile && !local ? wranglerLogin() : undefined,
  ]);
  const now = Date.now();
  const text =
    (router.status?.ok ? router.status.value.spec : undefined) ?? (kv?.ok ? kv.value.flags : undefined);
  const [cliIs, nodeIs] = await Promise.all([cliVersion(), leastNode()]);
  return {
    now,
    node: { version: process.versions.node, least: nodeIs },
    cli: { version: cliIs },
    profile: chosen.ok
      ? {
          ok: true,
          name: chosen.profile.name,
          url: chosen.profile.url,
          source: chosen.profile.source,
          token: chosen.profile.token !== undefined,
        }
      : chosen,
    files: await secretFiles(profile),
    devVars,
    ...router,
    document: text === undefined ? undefined : { text, parsed: parseDocument(text) },
    kv,
    configs: project,
    workerdDate: workerdDate(),
    secrets,
    wrangler,
    local,
  };
}

type OfRouter = Pick<Facts, "health" | "who" | "status" | "specs" | "pull" | "router">;

function nothingAsked(): OfRouter {
  return {
    health: undefined,
    who: undefined,
    status: undefined,
    specs: undefined,
    pull: undefined,
    router: undefined,
  };
}

async function askRouter(cli: Cli, profile: Profile): Promise<OfRouter> {
  const api = new Api(profile, LOOK_MS, cli.interrupted);
  const health = await askHealth(api, profile);
  // The rest would only wait for the same silence.
  if (!health.ok && health.status === undefined) return { ...nothingAsked(), health };
  const who = await asked<WhoView>(api, "/whoami");
  if (!who.ok) return { ...nothingAsked(), health, who };
  const [status, specs, pull, openapi] = await Promise.all([
    askStatus(api),
    asked<FlagListView>(api, "/flags"),
    asked<PullView>(api, "/pull"),
    asked<{ info?: { version?: string } }>(api, "/openapi.json"),
  ]);
  const version = openapi.ok ? openapi.value.info?.version : undefined;
  return {
    health,
    who,
    status,
    specs: specs.ok ? { ok: true, value: specs.value.flags } : specs,
    pull,
    router: version === undefined ? undefined : { version },
  };
}

async function asked<T>(api: Api, path: string): Promise<Asked<T>> {
  const answer = await api.try<T>(path);
  if (answer.ok) return { ok: true, value: answer.value };
  const { sentence, status, type } = answer.failure;
  return { ok: false, sentence, status, type };
}

/** `offsetMs` is exact to the time that the answer took; within that it counts as none. */
async function askStatus(api: Api): Promise<Facts["status"]> {
  const from = Date.now();
  const status = await asked<StatusView>(api, "/status");
  if (!status.ok) return status;
  const to = Date.now();
  const { at } = status.value;
  const offsetMs = at < from ? at - from : at > to ? at - to : 0;
  return { ok: true, value: { ...status.value, offsetMs } };
}

async function askHealth(api: Api, profile: Profile): Promise<Asked<HealthFacts>> {
  const got = await api.fetch("/_greenlight/health");
  if (!("response" in got)) return { ok: false, sentence: got.sentence };
  const { response } = got;
  const body = (await response.json().catch(() => undefined)) as HealthFacts | undefined;
  if (typeof body?.status === "string" && typeof body.revision === "number") return { ok: true, value: body };
  return {
    ok: false,
    status: response.status,
    sentence: `${profile.url} answers ${response.status}, and not as Greenlight does.`,
  };
}

async function readKv(profile: Profile): Promise<Asked<KvFacts>> {
  const kv = wranglerKv(await placeOf(profile));
  const [flags, kill] = await Promise.all([kv.get("flags"), kv.get("kill")]);
  if (!flags.ok) return flags;
  if (!kill.ok) return kill;
  return { ok: true, value: { where: kv.where, flags: flags.value, kill: kill.value } };
}

/** Files that may hold tokens, where they are there. A file that is given by option is the caller's own. */
async function secretFiles(profile: Profile | undefined): Promise<SecretFile[]> {
  if (process.platform === "win32") return [];
  const paths = new Set([profilesFile(), join(ROOT, ".dev.vars"), join(ROOT, ".greenlight/local.json")]);
  if (profile?.source.startsWith("/")) paths.add(profile.source);
  const found = await Promise.all(
    [...paths].map((path) =>
      stat(path).then(
        ({ mode }) => ({ path, mode: mode & 0o777 }),
        () => undefined,
      ),
    ),
  );
  return found.filter((file) => file !== undefined);
}

async function readDevVars(): Promise<Facts["devVars"]> {
  const path = join(ROOT, ".dev.vars");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const vars = parseEnv(text);
  const { tokens, faults } = parseTokens(vars.ADMIN_TOKENS ?? "");
  return {
    path,
    names: Object.keys(vars),
    tokenFaults: faults,
    tokens: tokens.map(({ name, expires }) => ({ name, expires })),
  };
}
