/** Promises of the decision: its precedence, its strictness, and that a raise takes nobody off green. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTable } from "../../../src/core/flag/compile.ts";
import { DEFAULT_COHORT, decide, type Identity } from "../../../src/core/flag/evaluate.ts";
import { FULL_SHARE, shareOf } from "../../../src/core/flag/percentage.ts";
import { flagSchema, type State } from "../../../src/core/flag/schema.ts";
import type { CompiledFlag } from "../../../src/core/flag/table.ts";
import { bucketOf, seedOf } from "../../../src/core/hashing/bucket.ts";
import type { Stop } from "../../../src/core/rollout/effective.ts";
import { layerOf } from "../../../src/core/rollout/layer.ts";

interface Setting {
  share?: number;
  stop?: Stop;
  stale?: boolean;
  members?: Record<string, string>;
}

function flagIn(state: State, { share = 0, stop, stale = false, members = {} }: Setting = {}): CompiledFlag {
  const cohorts: Record<string, { users: string[] }> = {};
  for (const [user, cohort] of Object.entries(members)) {
    cohorts[cohort] ??= { users: [] };
    cohorts[cohort].users.push(user);
  }
  const spec = flagSchema.parse({ state, cohorts });
  const layer = layerOf(spec, {
    share,
    cohorts: undefined,
    status: undefined,
    halts: [],
    isCohortOff: () => false,
    environment: undefined,
    knowsHalts: true,
  });
  const effective = {
    name: "checkout",
    spec,
    share,
    layers: [layer],
    stop,
    cause: undefined,
    shadow: false,
    stale,
  };
  return compileTable([effective]).flags.get("checkout")!;
}

const visitor = (key: string): Identity => ({ key, placement: "hash", trusted: false });
const known = (key: string): Identity => ({ key, placement: "hash", trusted: true });

/** An id that falls into a bucket of the flag `checkout`. */
function idIn(bucket: number): string {
  for (let i = 0; ; i++) if (bucketOf(seedOf("checkout"), String(i)) === bucket) return String(i);
}

const brief = (flag: CompiledFlag, id: Identity) => {
  const { variant, reason } = decide(flag, id, 0);
  return `${variant} ${reason}`;
};

describe("precedence", () => {
  const members = { ada: "beta" };
  const full = { share: FULL_SHARE, members };

  test.each<[string, CompiledFlag, Identity, string]>([
    ["kill beats everything", flagIn("on", { ...full, stop: "kill" }), known("ada"), "blue DISABLED"],
    [
      "the switch beats everything",
      flagIn("canary", { ...full, stop: "switch" }),
      known("ada"),
      "blue DISABLED",
    ],
    ["a halt beats membership", flagIn("canary", { ...full, stop: "halt" }), known("ada"), "blue DISABLED"],
    [
      "a stop is certain, stale or not",
      flagIn("on", { ...full, stop: "kill", stale: true }),
      known("ada"),
      "blue DISABLED",
    ],
    ["off is blue", flagIn("off", full), known("ada"), "blue DISABLED"],
    ["the state kill is blue", flagIn("kill", full), known("ada"), "blue DISABLED"],
    ["shadow is blue", flagIn("shadow", full), known("ada"), "blue DEFAULT"],
    ["on is green", flagIn("on", full), visitor("x"), "green DEFAULT"],
    ["on whose raise is not published splits", flagIn("on", { share: 0 }), visitor("x"), "blue SPLIT"],
    ["a member is on green at 0 %", flagIn("canary", { members }), known("ada"), "green TARGETING_MATCH"],
    [
      "a name that nobody vouches for is no member",
      flagIn("canary", { members }),
      visitor("ada"),
      "blue SPLIT",
    ],
    ["who is no member is split", flagIn("canary", { members }), known("bob"), "blue SPLIT"],
    ["100 % is everyone", flagIn("canary", { share: FULL_SHARE }), visitor("x"), "green SPLIT"],
    ["a stale spec says so", flagIn("on", { share: FULL_SHARE, stale: true }), visitor("x"), "green STALE"],
    ["a stale canary is blue and says so", flagIn("canary", { stale: true }), visitor("x"), "blue STALE"],
  ])("%s", (_promise, flag, id, expected) => expect(brief(flag, id)).toBe(expected));
});

test("members carry their cohort and stay out of comparisons; all others are in the default cohort", () => {
  const flag = flagIn("canary", { members: { ada: "beta" } });
  expect(decide(flag, known("ada"), 0)).toMatchObject({ cohort: "beta", placement: "match" });
  expect(decide(flag, visitor("ada"), 0)).toMatchObject({ cohort: DEFAULT_COHORT, placement: "hash" });
  expect(decide(flag, { ...visitor("x"), placement: "address" }, 0).placement).toBe("address");
});

test.each([
  // percentage, bucket, is green
  [29, 28_999, true],
  [29, 29_000, false],
  [0.29, 289, true],
  [0.29, 290, false],
  [0.45, 449, true],
  [0.45, 450, false],
  [0.45, 270, true],
  [45, 44_999, true],
  [45, 45_000, false],
  [0.001, 0, true],
  [0.001, 1, false],
  [0, 0, false],
  [100, 99_999, true],
  [99.999, 99_999, false],
])("at %d %% bucket %i is on green: %s", (percentage, bucket, green) => {
  const decision = decide(flagIn("canary", { share: shareOf(percentage) }), visitor(idIn(bucket)), 0);
  expect([decision.bucket, decision.variant]).toEqual([bucket, green ? "green" : "blue"]);
});

test("every percentage of three decimals is an exact share", () => {
  for (let share = 0; share <= FULL_SHARE; share++) {
    if (shareOf(Number((share / 1000).toFixed(3))) !== share) throw new Error(`share ${share}`);
  }
});

test("a raise takes nobody off green, and moves nobody else's bucket", () => {
  const share = fc.integer({ min: 0, max: FULL_SHARE });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), share, share, (key, a, b) => {
      const before = decide(flagIn("canary", { share: Math.min(a, b) }), visitor(key), 0);
      const after = decide(flagIn("canary", { share: Math.max(a, b) }), visitor(key), 0);
      expect(after.bucket).toBe(before.bucket);
      if (before.variant === "green") expect(after.variant).toBe("green");
    }),
    { numRuns: 500 },
  );
});

test("the split of 1,000,000 visitors is exact within chance (5 standard deviations)", () => {
  const visitors = 1_000_000;
  for (const percentage of [0.001, 1, 10, 50]) {
    const flag = flagIn("canary", { share: shareOf(percentage) });
    let green = 0;
    for (let i = 0; i < visitors; i++)
      if (decide(flag, visitor(`visitor-${i}`), 0).variant === "green") green++;
    const p = percentage / 100;
    expect(Math.abs(green - visitors * p)).toBeLessThanOrEqual(5 * Math.sqrt(visitors * p * (1 - p)));
  }
});
