/** Promises of the doctor: each misconfiguration is found, with where and the mend, and a sound installation is left alone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../../src/cli/bundle.ts";
import { CHECKS, diagnose } from "../../../src/cli/greenlight/doctor/checks.ts";
import type { ConfigFacts, Facts } from "../../../src/cli/greenlight/doctor/facts.ts";
import type { FlagSpecView, FlagView, RolloutView, StatusView } from "../../../src/core/api/views.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { DocumentInput, FlagInput } from "../../../src/core/flag/schema.ts";
import { hashText } from "../../../src/core/hashing/text.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const DAY = 86_400_000;
const URL_OF = "https://router.example.com";
const ROUTE = { blue: "https://b.example", green: "https://g.example", hosts: ["shop.example.com"] };
const SHOP: FlagInput = {
  state: "canary",
  percentage: 10,
  release: "2.1.0",
  description: "The shop.",
  owner: "team-shop",
  route: ROUTE,
};
const CONFIG: ConfigFacts = {
  env: null,
  bindings: ["FLAGS", "COUNTERS", "CONTROLLER", "OUTBOX"],
  vars: {
    ADMIN_HOSTS: "",
    SHARDS: "1",
    KV_REFRESH_SECONDS: "10",
    ENVIRONMENT: "production",
    ENV_OVERRIDES: "false",
  },
  crons: [],
  routes: [],
  compatibilityDate: "2026-10-20",
};
const ROLLOUT = { phase: "progressing", exit: [], entry: [], waitsFor: [] } as unknown as RolloutView;
const FLAG = {
  name: "shop",
  state: "canary",
  release: "2.1.0",
  share: 10_000,
  rollout: null,
  health: { blue: null, green: null },
} as unknown as FlagView;

/** What is there of a document. */
function ofDocument(document: DocumentInput): Pick<Facts, "document" | "kv" | "status"> {
  const text = JSON.stringify(document);
  const status = {
    at: NOW,
    enabled: true,
    specHash: hashText(text),
    spec: text,
    kill: "",
    faults: [],
    halts: [],
    flags: [FLAG],
    isolates: 3,
    lost: 0,
    shards: [{ shard: "shard-0", version: 3, seenAt: NOW, isolates: 3, lost: 0 }],
    offsetMs: 0,
  } as unknown as StatusView & { offsetMs: number };
  return {
    document: { text, parsed: parseDocument(text) },
    kv: { ok: true, value: { where: "Cloudflare's KV", flags: text, kill: "" } },
    status: { ok: true, value: status },
  };
}

/** A sound installation, with what is different. */
function facts(other: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    node: { version: "24.21.0", least: "24.0.0" },
    cli: { version: "0.1.0" },
    profile: { ok: true, name: "production", url: URL_OF, source: "profiles.json", token: true },
    files: [{ path: "profiles.json", mode: 0o600 }],
    devVars: undefined,
    health: {
      ok: true,
      value: {
        status: "ok",
        revision: 7,
        snapshotAgeMs: 1000,
        kvAgeMs: 1000,
        flags: 1,
        faults: 0,
        environment: "production",
        envOverrides: false,
      },
    },
    who: { ok: true, value: { name: "ada", role: "admin", by: "token" } },
    ...ofDocument({ flags: { shop: SHOP } }),
    specs: { ok: true, value: [{ name: "shop", updatedAt: NOW } as FlagSpecView] },
    pull: undefined,
    router: { version: "0.1.0" },
    configs: { ok: true, value: [CONFIG] },
    workerdDate: "2026-10-23",
    secrets: new Set(["SLACK"]),
    wrangler: { loggedIn: true },
    local: false,
    ...other,
  };
}

const shop = (fields: Partial<FlagInput>, more: Record<string, FlagInput> = {}) =>
  facts(ofDocument({ flags: { shop: { ...SHOP, ...fields }, ...more } }));
const status = (
  fields: Partial<StatusView & { offsetMs: number }>,
  document: DocumentInput = { flags: { shop: SHOP } },
) => {
  const of = ofDocument(document);
  const value = of.status?.ok ? of.status.value : undefined;
  return facts({ ...of, status: { ok: true, value: { ...value!, ...fields } } });
};
const config = (fields: Partial<ConfigFacts>) =>
  facts({ configs: { ok: true, value: [CONFIG, { ...CONFIG, env: "staging", ...fields }] } });
const refused = (code: number, type: string) =>
  facts({
    who: { ok: false, sentence: "no", status: code, type: `urn:greenlight:problem:${type}` },
    status: undefined,
  });
const kv = (kill: string | undefined) => {
  const of = ofDocument({ flags: { shop: SHOP } });
  return facts({ ...of, kv: { ok: true, value: { where: "KV", flags: of.document!.text, kill } } });
};
const health = (fields: object) =>
  facts({
    health: { ok: true, value: { ...(facts().health as { value: object }).value, ...fields } as never },
  });
const devVars = (fields: object) =>
  facts({ devVars: { path: ".dev.vars", names: [], tokenFaults: [], tokens: [], ...fields } });
const halt = {
  flag: "shop",
  release: "2.1.0",
  action: "rollback" as const,
  at: NOW,
  rule: "r",
  reason: "Errors.",
  figures: {},
};
const gate = {
  what: "gauge csat",
  verdict: "unmeasured" as const,
  sentence: "Nothing was sent",
  figures: {},
};

/** Name of the check, its level, what is wrong, and a part of what is said. */
const CASES: [check: string, level: string, facts: Facts, says: string][] = [
  [
    "profile",
    "error",
    facts({ profile: { ok: false, sentence: "No router is known.", hint: "greenlight login" } }),
    "No router",
  ],
  [
    "reach",
    "error",
    facts({ health: { ok: false, sentence: "It cannot be reached." }, who: undefined, status: undefined }),
    "reached",
  ],
  [
    "plain-http",
    "error",
    facts({
      profile: { ok: true, name: null, url: "http://router.example.com", source: "--url", token: true },
    }),
    "TLS",
  ],
  ["token", "error", refused(401, "unauthorized"), "greenlight login"],
  ["token", "error", refused(403, "admin-api-shut"), "greenlight token create"],
  ["token", "error", refused(429, "too-many-attempts"), "Wait a minute"],
  [
    "role",
    "warning",
    facts({ who: { ok: true, value: { name: "ada", role: "viewer", by: "token" } } }),
    "only read",
  ],
  [
    "role",
    "error",
    facts({ who: { ok: true, value: { name: "ci", role: "reporter", by: "token" } } }),
    "only push",
  ],
  [
    "token-expiry",
    "warning",
    facts({ who: { ok: true, value: { name: "ada", role: "admin", by: "token", expires: NOW + 3 * DAY } } }),
    "ends on 2026-11-24",
  ],
  [
    "token-expiry",
    "warning",
    devVars({ tokens: [{ name: "old", expires: NOW - DAY }] }),
    "ended on 2026-11-20",
  ],
  [
    "token-file",
    "error",
    facts({ files: [{ path: "profiles.json", mode: 0o644 }] }),
    "chmod 600 profiles.json",
  ],
  ["admin-host", "error", refused(404, "not-found"), "ADMIN_HOSTS"],
  [
    "admin-tokens",
    "error",
    devVars({ tokenFaults: ["token 2: 64 hex digits were expected third"] }),
    "token 2",
  ],
  ["admin-tokens", "info", devVars({ names: ["ADMIN_TOKEN"] }), "no longer read"],
  [
    "no-document",
    "error",
    facts({ ...health({ status: "no-document" }), document: undefined }),
    "greenlight apply",
  ],
  [
    "document-faults",
    "error",
    facts(ofDocument({ flags: { shop: { ...SHOP, state: "onn" as never } } })),
    "flags.shop.state",
  ],
  ["not-adopted", "warning", status({ specHash: "another" }), "greenlight diff"],
  ["kill-missing", "warning", kv(undefined), "missing"],
  ["kill-set", "warning", kv("shop"), "greenlight unkill shop"],
  ["kill-set", "warning", kv("*"), "every flag"],
  ["kill-set", "warning", kv("shpo"), "no flag"],
  ["halt", "warning", status({ halts: [halt] }), "greenlight resume shop"],
  ["halt", "info", status({ halts: [{ ...halt, release: "2.0.0" }] }), "comes back"],
  ["halt", "info", status({ halts: [{ ...halt, flag: "gone" }] }), "the flag is gone"],
  [
    "halt",
    "warning",
    status({ halts: [{ ...halt, action: "kill", release: "*" }] }),
    "greenlight unkill shop",
  ],
  [
    "switched-off",
    "warning",
    facts(ofDocument({ enabled: false, flags: { shop: SHOP } })),
    "greenlight enable",
  ],
  [
    "switched-off",
    "info",
    shop({}, { "canary.cohort.beta.enabled": { state: "off", description: "d", owner: "o" } }),
    "greenlight cohort enable beta",
  ],
  ["clock", "warning", status({ offsetMs: 90_000 }), "90 s behind"],
  ["snapshot-old", "warning", health({ snapshotAgeMs: 600_000 }), "10 minutes old"],
  ["kv-old", "warning", health({ kvAgeMs: 600_000 }), "10 minutes ago"],
  ["isolates", "info", status({ isolates: 0 }), "no traffic"],
  [
    "shards",
    "warning",
    status({
      shards: [3, 4].map((version) => ({ shard: `s${version}`, version, seenAt: NOW, isolates: 1, lost: 0 })),
    }),
    "3, 4",
  ],
  ["shards", "info", status({ lost: 2 }), "2 batches"],
  [
    "origin-down",
    "error",
    status({
      flags: [{ ...FLAG, health: { blue: null, green: { failedInARow: 4, at: NOW, sentence: "503" } } }],
    }),
    "green has failed 4",
  ],
  [
    "waiting",
    "warning",
    status({ flags: [{ ...FLAG, rollout: { ...ROLLOUT, exit: [gate] } }] }),
    "gauge csat",
  ],
  [
    "waiting",
    "info",
    status({
      flags: [{ ...FLAG, rollout: { ...ROLLOUT, phase: "awaitingApproval", waitsFor: ["an approval"] } }],
    }),
    "greenlight approve shop",
  ],
  [
    "pull",
    "error",
    facts({
      pull: {
        ok: true,
        value: {
          url: "https://db.example/rows",
          format: "ecotrips",
          triedAt: NOW,
          goodAt: 0,
          changedAt: 0,
          fault: "It answered 500.",
          failingSince: NOW,
          losses: [],
        },
      },
    }),
    "answered 500",
  ],
  ["router-version", "warning", facts({ router: { version: "0.0.9" } }), "0.0.9"],
  ["same-origin", "error", shop({ route: { ...ROUTE, green: ROUTE.blue } }), "same origin"],
  ["untrusted", "warning", shop({ cohorts: { staff: { users: ["ada"] } } }), "cohorts.staff"],
  ["untrusted", "warning", shop({ overrides: { users: { ada: { state: "on" } } } }), "overrides.users"],
  ["untrusted", "info", shop({ stickBy: ["header:x-user-id", "visitor"] }), "bucket alone"],
  [
    "tenant-source",
    "error",
    shop({ overrides: { tenants: { acme: { state: "on" } } }, route: { ...ROUTE, trusted: "access" } }),
    "context.tenant",
  ],
  [
    "override-expiry",
    "info",
    shop({
      route: { ...ROUTE, trusted: "access" },
      overrides: { users: { ada: { state: "on", expires: "2026-11-20T00:00:00Z" } } },
    }),
    "ended: 1",
  ],
  [
    "override-expiry",
    "info",
    shop({
      route: { ...ROUTE, trusted: "access" },
      overrides: { users: { ada: { state: "on", expires: "2026-11-22T00:00:00Z" } } },
    }),
    "three days: 1",
  ],
  [
    "dependency-off",
    "warning",
    shop({ dependencies: ["cart"] }, { cart: { state: "off", description: "d", owner: "o" } }),
    "cart, which is off",
  ],
  ["environment", "info", shop({ environments: ["staging"] }), "the Worker is production"],
  [
    "environment",
    "error",
    facts({
      ...ofDocument({ flags: { shop: { ...SHOP, environments: ["staging"] } } }),
      health: health({ environment: null }).health,
    }),
    "Set ENVIRONMENT",
  ],
  [
    "done",
    "info",
    facts({
      ...ofDocument({ flags: { shop: { ...SHOP, state: "on" } } }),
      specs: { ok: true, value: [{ name: "shop", updatedAt: NOW - 20 * DAY } as FlagSpecView] },
    }),
    "20 days",
  ],
  ["remove-by", "warning", shop({ removeBy: "2026-11-01" }), "greenlight delete shop"],
  [
    "undescribed",
    "info",
    shop({ description: undefined, owner: undefined } as Partial<FlagInput>),
    "no description and no owner",
  ],
  ["review", "info", shop({ reviewedAt: "2026-05-06T12:00:00Z" }), "2026-05-06"],
  [
    "notify-secret",
    "error",
    facts(
      ofDocument({
        flags: { shop: SHOP },
        notify: { receivers: { pager: { type: "pagerduty", routingKey: "secret:PAGER" } } },
      }),
    ),
    "wrangler secret put PAGER",
  ],
  ["wrangler-toml", "error", facts({ configs: { ok: false, sentence: "line 3" } }), "line 3"],
  ["bindings", "error", config({ bindings: ["FLAGS"] }), "COUNTERS, CONTROLLER, OUTBOX"],
  ["vars", "warning", config({ vars: { ENVIRONMENT: "staging" } }), "ADMIN_HOSTS, SHARDS"],
  ["numbers", "error", config({ vars: { ...CONFIG.vars, SHARDS: "0.5" } }), "from 1 to 64"],
  ["compatibility-date", "error", config({ compatibilityDate: "2026-11-01" }), "2026-10-23"],
  ["crons", "error", config({ vars: { ...CONFIG.vars, PULL_URL: "https://db.example" } }), "crons"],
  [
    "routes",
    "info",
    facts({ configs: { ok: true, value: [{ ...CONFIG, routes: ["shop.example.com/*"] }] }, local: true }),
    "shop.example.com/*",
  ],
  ["admin-host-routed", "error", shop({ route: { ...ROUTE, hosts: ["router.example.com"] } }), "ADMIN_HOSTS"],
  ["access-host", "error", config({ vars: { ...CONFIG.vars, ACCESS_TEAM: "acme" } }), "ADMIN_HOSTS"],
  ["env-overrides", "error", health({ envOverrides: true }), "in production"],
  [
    "env-overrides",
    "error",
    config({ env: "live", vars: { ...CONFIG.vars, ENV_OVERRIDES: "true" } }),
    "[env.live]",
  ],
  ["node", "error", facts({ node: { version: "20.1.0", least: "24.0.0" } }), "24.0.0"],
  ["wrangler-login", "warning", facts({ wrangler: { loggedIn: false } }), "wrangler login"],
];

describe("the doctor", () => {
  test("finds nothing where nothing is wrong", () => {
    expect(diagnose(facts())).toEqual([]);
  });

  test.each(CASES)("%s (%s)", (check, level, given, says) => {
    const found = diagnose(given).filter((one) => one.check === check && one.level === level);
    expect(found.map(({ what, where, mend }) => `${where}: ${what} ${mend}`).join("\n")).toContain(says);
    for (const { what, where, mend } of found)
      expect([what, where, mend].every((text) => text.length > 1)).toBe(true);
  });

  test("each check has a case, and a line in the page about it", () => {
    const tried = new Set(CASES.map(([check]) => check));
    expect(CHECKS.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
    const page = readFileSync(join(ROOT, "docs/rehearsing.md"), "utf8");
    const rows = CHECKS.map(({ name, about }) => `| \`${name}\` | ${about} |`);
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });

  test("goes on where anything is down, and names nobody by their id", () => {
    const { node, cli, files, now } = facts();
    const nothing = { node, cli, files, now, local: false, profile: facts().profile } as unknown as Facts;
    expect(diagnose(nothing)).toEqual([]);
    const personal = shop({
      cohorts: { staff: { users: ["ada@example.com"] } },
      overrides: { users: { "ada@example.com": { state: "on", expires: "2026-11-20T00:00:00Z" } } },
    });
    expect(JSON.stringify(diagnose(personal))).not.toContain("ada@example.com");
  });

  test("tells the worst first", () => {
    const levels = diagnose(
      facts({ ...kv("shop"), node: { version: "20.0.0", least: "24.0.0" }, router: { version: "0.0.1" } }),
    ).map(({ level }) => level);
    expect(levels).toEqual(["error", "warning", "warning"]);
  });
});
