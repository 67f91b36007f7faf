/** Cohorts from the outside: who is on green before everyone, and how fast the switches take them off. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DocumentInput } from "../../src/core/flag/schema.ts";
import { ask } from "../support/ask.ts";
import { eventually, type Given, given } from "../support/given.ts";
import { api, rollout } from "../support/status.ts";

const ISOLATES = 2;
/** Two flush intervals and one second are promised; the rest is for a slow machine. */
const SOON_MS = 15_000;

const TENANTS = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
/** Half of the tenants are of low risk; three of these are to be chosen. */
const DIRECTORY = {
  tenants: Object.fromEntries(
    TENANTS.map((id, i) => [id, { risk: i % 2 === 0 ? "low" : "high", size: "small" }]),
  ),
};

/** Nobody is on green by the percentage, which stays 0: only who is in a cohort. */
const SHOP = {
  stickBy: ["header:x-user-id", "visitor"],
  context: { tenant: "header:x-tenant-id" },
  route: { trusted: "mtls" as const },
  cohorts: {
    internal_test: { users: ["eng-team"] },
    beta: { users: ["bea"] },
    tenants: { select: { directory: "customers", count: 3, require: { risk: ["low"] } } },
  },
  plan: {
    start: "auto" as const,
    stages: [
      { cohort: "internal_test", duration: 600 },
      { cohort: "beta", duration: 600 },
      { cohort: "tenants", duration: 600 },
    ],
  },
};
const GROUPS = { "eng-team": ["ann", "abe"] };

let g: Given;

/** Which of these answered, on every isolate: an id and a tenant as the one who vouches for them sends them. */
async function answers(headers: Record<string, string>): Promise<string[]> {
  const all = await Promise.all(g.router.isolates.map((url) => ask(url, { headers })));
  return [...new Set(all.map(({ text }) => text))];
}
const user = (id: string) => answers({ "x-user-id": id });
const tenant = (id: string) => answers({ "x-user-id": `somebody of ${id}`, "x-tenant-id": id });

/** Waits until these users, and nobody else, are on green. */
async function onGreen(...ids: string[]): Promise<void> {
  await eventually(SOON_MS, async () => {
    for (const id of ["ann", "abe", "bea", "cy"]) {
      expect(await user(id), id).toEqual([ids.includes(id) ? "green" : "blue"]);
    }
  });
}

async function tenantsOnGreen(): Promise<string[]> {
  const on = await Promise.all(TENANTS.map(async (id) => ((await tenant(id)).includes("green") ? [id] : [])));
  return on.flat();
}

/** Puts the document with these switches, as a person does. */
function put(switches: DocumentInput["flags"] = {}): void {
  const { flags } = JSON.parse(g.document(SHOP)) as DocumentInput;
  g.router.kv.put("flags", JSON.stringify({ groups: GROUPS, flags: { ...flags, ...switches } }));
}

async function advance(): Promise<void> {
  expect((await api(g.router, "/flags/shop/advance", "POST", { by: "ann" })).status).toBe(200);
}

beforeAll(async () => {
  g = await given({}, { isolates: ISOLATES });
  g.router.kv.put("directory:customers", JSON.stringify(DIRECTORY));
  put();
});
afterAll(() => g.stop());

describe("cohorts of a plan", () => {
  test("are on green before everyone, each from its stage on", async () => {
    await onGreen("ann", "abe");
    await advance();
    await onGreen("ann", "abe", "bea");
    expect(await rollout(g.router)).toMatchObject({ percentage: 0, cohorts: ["internal_test", "beta"] });
  });

  test("have nobody who only says who they are, where nobody vouches for it", async () => {
    const { flags } = JSON.parse(g.document({ ...SHOP, route: {} })) as DocumentInput;
    g.router.kv.put("flags", JSON.stringify({ groups: GROUPS, flags }));
    await onGreen();
    put();
    await onGreen("ann", "abe", "bea");
  });

  test("have the tenants that a directory was asked for, the same on every isolate", async () => {
    expect(await tenantsOnGreen()).toEqual([]);
    await advance();
    await eventually(SOON_MS, async () => expect(await tenantsOnGreen()).toHaveLength(3));
    const chosen = await tenantsOnGreen();
    for (const id of chosen) {
      expect(DIRECTORY.tenants[id]?.risk).toBe("low");
      expect(await tenant(id)).toEqual(["green"]);
    }
    expect((await rollout(g.router)).selected).toEqual({ tenants: 3 });
  });
});

describe("a switch", () => {
  test("takes one cohort off green, and lets it back", async () => {
    put({ "canary.cohort.beta.enabled": { state: "off" } });
    await onGreen("ann", "abe");
    put({ "canary.cohort.beta.enabled": { state: "on" } });
    await onGreen("ann", "abe", "bea");
  });

  test("takes everybody in canary off green, and lets them back", async () => {
    put({ "system.canary.enabled": { state: "off" } });
    await onGreen();
    await eventually(SOON_MS, async () => expect(await tenantsOnGreen()).toEqual([]));
    put();
    await onGreen("ann", "abe", "bea");
  });

  test("works from the kill key, without the document", async () => {
    g.router.kv.put("kill", "canary.cohort.internal_test.enabled");
    await onGreen("bea");
    g.router.kv.put("kill", "system.canary.enabled");
    await onGreen();
    g.router.kv.put("kill", "");
    await onGreen("ann", "abe", "bea");
  });
});
