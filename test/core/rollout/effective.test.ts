import { describe, expect, it } from "vitest";
import { compileTable } from "../../../src/core/flag/compile.ts";
import { decide } from "../../../src/core/flag/evaluate.ts";
import type { ParsedDocument } from "../../../src/core/flag/parse.ts";
import { type Flag, type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import {
  askedShare,
  type EffectiveFlag,
  effectiveFlags,
  type Knowledge,
} from "../../../src/core/rollout/effective.ts";
import { isKilled } from "../../../src/core/rollout/kill.ts";
import type { FlagStatus, Halt, Snapshot } from "../../../src/core/rollout/snapshot.ts";

const NOW = 1_000_000;
const flag = (input: Partial<FlagInput> = {}): Flag =>
  flagSchema.parse({ state: "canary", percentage: 10, release: "r1", ...input });

function snapshot(flags: Record<string, Flag>, more: Partial<Snapshot> = {}): Snapshot {
  const status = Object.fromEntries(
    Object.entries(flags).map(([name, f]) => [name, { generation: "g", share: askedShare(f) }]),
  );
  return {
    v: 1,
    revision: 5,
    at: 0,
    specHash: "s",
    enabled: true,
    flags,
    status,
    halts: [],
    faults: [],
    ...more,
  };
}
function document(flags: Record<string, Flag>, more: Partial<ParsedDocument> = {}) {
  const parsed: ParsedDocument = {
    enabled: undefined,
    groups: new Map(),
    plans: new Map(),
    notify: undefined,
    flags: new Map(Object.entries(flags)),
    broken: new Map(),
    faults: [],
    ...more,
  };
  return { hash: "d", revision: undefined, parsed };
}
function serve(k: Partial<Knowledge>) {
  const all = effectiveFlags({
    snapshot: undefined,
    document: undefined,
    kill: "",
    heardAt: NOW,
    now: NOW,
    ...k,
  });
  return Object.fromEntries(all.map((f) => [f.name, f]));
}
/** What somebody is told whose key is vouched for. */
function asked(effective: EffectiveFlag, key: string): string {
  const compiled = compileTable([effective]).flags.get(effective.name)!;
  const { variant, cohort, reason } = decide(compiled, { key, placement: "hash", trusted: true }, 0);
  return `${variant} ${cohort} ${reason}`;
}
const halt = (release: string): Halt => ({
  flag: "a",
  release,
  action: "rollback",
  at: 0,
  rule: "",
  reason: "",
  figures: {},
});

describe("the kill key", () => {
  it("stops the flags that it names, all of them with *, and no text in it can fail", () => {
    expect(isKilled("a b", "b")).toBe(true);
    expect(isKilled("a\n\tb ", "b")).toBe(true);
    expect(isKilled("*", "b")).toBe(true);
    expect(isKilled("ab", "b")).toBe(false);
    expect(isKilled("", "b")).toBe(false);
    expect(isKilled('{"flags":[\u0000', "b")).toBe(false);
  });

  it("stands over a flag that is on, and over members", () => {
    const a = flag({ state: "on" });
    expect(serve({ snapshot: snapshot({ a }), kill: "a" }).a).toMatchObject({ share: 0, stop: "kill" });
    const members = flag({ cohorts: { staff: { users: ["u"] } } });
    expect(asked(serve({ snapshot: snapshot({ a: members }), kill: "*" }).a!, "u")).toBe("blue ga DISABLED");
  });
});

describe("the global switch", () => {
  it("sends everything to blue as soon as an edit turns it off, and back only when published", () => {
    const published = snapshot({ a: flag() });
    const off = document({ a: flag() }, { enabled: false });
    expect(serve({ snapshot: published, document: off }).a).toMatchObject({ share: 0, stop: "switch" });
    const on = document({ a: flag() }, { enabled: true });
    expect(serve({ snapshot: { ...published, enabled: false }, document: on }).a!.stop).toBe("switch");
  });
});

describe("a halt", () => {
  it("applies to the release that it names only, and to a flag that is on", () => {
    const halts = [halt("r1")];
    expect(serve({ snapshot: snapshot({ a: flag({ state: "on" }) }, { halts }) }).a!.stop).toBe("halt");
    expect(serve({ snapshot: snapshot({ a: flag({ release: "r2" }) }, { halts }) }).a!.stop).toBeUndefined();
  });
});

describe("a pending edit", () => {
  it("takes members off green at once, and brings new ones only when published", () => {
    const published = flag({ percentage: 0, cohorts: { staff: { users: ["ann", "bob"] } } });
    const edited = flag({ percentage: 0, cohorts: { staff: { users: ["bob", "eve"] } } });
    const { a } = serve({ snapshot: snapshot({ a: published }), document: document({ a: edited }) });
    const answers = ["ann", "bob", "eve"].map((key) => asked(a!, key));
    expect(answers).toEqual(["blue ga SPLIT", "green staff TARGETING_MATCH", "blue ga SPLIT"]);
  });

  it("that breaks a flag leaves it as published", () => {
    const broken = document({}, { broken: new Map([["a", []]]) });
    expect(serve({ snapshot: snapshot({ a: flag() }), document: broken }).a!.share).toBe(10_000);
  });

  it("that leaves a flag out, or brings a new one, changes routes only when published", () => {
    const served = serve({ snapshot: snapshot({ a: flag() }), document: document({ b: flag() }) });
    expect(Object.keys(served)).toEqual(["a"]);
  });

  it("that is no document at all changes nothing, not even for an isolate that has been alone for hours", () => {
    const garbage = document({}, { faults: [{ path: "", message: "not JSON", expected: "JSON" }] });
    const served = serve({
      snapshot: snapshot({ a: flag() }),
      document: garbage,
      heardAt: 0,
      now: 10_000_000,
    });
    expect(served.a!.share).toBe(10_000);
  });

  it("of an older revision than the snapshot counts for nothing", () => {
    const old = { ...document({ a: flag({ percentage: 0 }) }), revision: 4 };
    expect(serve({ snapshot: snapshot({ a: flag() }), document: old }).a!.share).toBe(10_000);
  });
});

describe("an isolate that has been alone for two minutes", () => {
  const plan = { stages: [{ percentage: 5 }, { percentage: 50 }, { percentage: 100 }] };
  const alone = (published: Flag, status: Partial<FlagStatus>, edited: Flag, halts: Halt[] = []) => {
    const known = snapshot({ a: published }, { halts });
    Object.assign(known.status.a!, status);
    return serve({ snapshot: known, document: document({ a: edited }), heardAt: 0, now: 120_000 }).a!;
  };

  it("takes a raise by itself", () => {
    expect(alone(flag(), {}, flag({ percentage: 50 })).share).toBe(50_000);
  });

  it("gives a new release nothing of what the plan has allowed the one before, nor its cohorts", () => {
    const cohorts = { staff: { users: ["ann"] } };
    const old = flag({ percentage: 0, plan, cohorts });
    const status = { share: 100_000, cohorts: ["staff"] };
    expect(asked(alone(old, status, old), "ann")).toBe("green staff TARGETING_MATCH");
    const edited = alone(old, status, flag({ percentage: 0, plan, cohorts, release: "r2" }));
    expect(edited.share).toBe(0);
    expect(asked(edited, "ann")).toBe("blue ga SPLIT");
  });

  it("raises nothing that is paused or on its way down, and lowers it", () => {
    const paused: Halt = { ...halt("r1"), action: "pause" };
    for (const percentage of [5, 50]) {
      const edited = flag({ percentage });
      const least = Math.min(percentage, 10) * 1000;
      expect(alone(flag(), {}, edited, [paused]).share).toBe(least);
      expect(alone(flag({ plan }), { phase: "rollingBack" }, flag({ percentage, plan })).share).toBe(least);
    }
    expect(alone(flag({ release: "r2" }), {}, flag(), [paused]).share).toBe(0);
    expect(alone(flag(), {}, flag({ release: "r2", percentage: 50 }), [paused]).share).toBe(50_000);
    expect(alone(flag(), {}, flag({ percentage: 50 }), [{ ...paused, cohort: "beta" }]).share).toBe(50_000);
  });
});

describe("a spec without a snapshot", () => {
  it("serves every canary at 0 %, members included, and says that it is stale", () => {
    const cold = serve({
      document: document({ a: flag({ cohorts: { staff: { users: ["ann"] } } }), b: flag({ state: "on" }) }),
      heardAt: 0,
      now: 10_000_000,
    });
    expect(cold.a).toMatchObject({ share: 0, stale: true });
    expect(asked(cold.a!, "ann")).toBe("blue ga STALE");
    expect(cold.b!.share).toBe(100_000);
  });
});
