/** Promises of the generation: it changes with what places visitors or judges green, and with nothing else. */
import { expect, test } from "vitest";
import { generationOf } from "../../../src/core/flag/generation.ts";
import { type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";

const input: FlagInput = {
  state: "canary",
  percentage: 10,
  release: "2.1.0",
  stickBy: ["cookie:session", "visitor"],
  cohorts: { beta: { enabled: true, users: ["ada"] }, staff: { users: ["eve"] } },
  rules: [{ metric: "error_rate", above: 0.1 }],
  route: { blue: "service:BLUE", green: "service:GREEN" },
};
const of = (change: Partial<FlagInput>) => generationOf(flagSchema.parse({ ...input, ...change }));
const base = of({});

test.each<Partial<FlagInput>>([
  { state: "on" },
  { percentage: 10.001 },
  { release: "2.1.1" },
  { salt: "other" },
  { stickBy: ["visitor", "cookie:session"] },
  { cohorts: { beta: { enabled: false, users: ["ada"] }, staff: { users: ["eve"] } } },
  { rules: [{ metric: "error_rate", above: 0.2 }] },
  { rules: [{ metric: "error_rate", above: 0.1, for: 60 }] },
  { dryRun: true },
  { environments: ["production"] },
  { dependencies: ["payments"] },
  { rotate: "release" },
  { context: { tenant: "header:x-tenant" } },
  { slos: { calm: [{ metric: "error_rate", below: 0.01 }] } },
  { plan: { stages: [{ percentage: 10 }] } },
  { cohorts: { staff: { users: ["eve"] }, beta: { enabled: true, users: ["ada"] } } },
  { cohorts: { beta: { users: ["ada"], percentage: 1 }, staff: { users: ["eve"] } } },
])("%j makes another generation", (change) => expect(of(change)).not.toBe(base));

test.each<Partial<FlagInput>>([
  { notes: "hello" },
  { overrides: { users: { ada: { state: "off" } } } },
  { onVariant: "green" },
  { kind: "experiment", playbook: "Call us", metadata: { ticket: 1 }, removeBy: "2030-01-01" },
  { owner: "team" },
  { description: "words" },
  { fallback: "green" },
  { healthCheck: { path: "/health" } },
  { pulls: { score: { url: "https://scores.example.com" } } },
  { appendNotes: true },
  { rollbackTimeSeconds: 60 },
  { cohorts: { beta: { users: ["ada"], features: ["stable"] }, staff: { users: ["eve"] } } },
  { route: { blue: "service:BLUE", green: "https://green.example.com" } },
])("%j keeps the generation", (change) => expect(of(change)).toBe(base));

test("the order of keys does not matter but for cohorts, nor whether a default is written out", () => {
  const backwards = Object.fromEntries(Object.entries(input).reverse());
  expect(generationOf(flagSchema.parse(backwards))).toBe(base);
  expect(of({ cohorts: { beta: { users: ["ada"] }, staff: { users: ["eve"], enabled: true } } })).toBe(base);
});
