/** Promises of flags with little traffic: a stage that says how many requests it needs waits for no more. */
import { expect, test, vi } from "vitest";
import type { FlagInput } from "../../../src/core/flag/schema.ts";
import { Rig } from "./rig.ts";

vi.spyOn(console, "log").mockImplementation(() => {});

/** Where the rollout is when its first stage has had so many requests in its first seconds, and 600 s have passed. */
async function after(flag: Partial<FlagInput>, requests: number, errors = 0, visitors: number[] = []) {
  const rig = await new Rig().put(flag);
  await rig.run(10, () => rig.send({ requests, errors, visitors }));
  await rig.run(580);
  const before = rig.at;
  await rig.run(10);
  return [before, rig.at];
}

test.each<[string, number, number, string, string]>([
  ["one request fewer than it needs", 49, 0, "progressing 5", "progressing 5"],
  ["as many", 50, 0, "progressing 5", "progressing 25"],
  ["as many, and as many errors as may be", 50, 2, "progressing 5", "progressing 25"],
  ["one error more", 50, 3, "halted 5", "halted 5"],
])(
  "TogetherOS, 50 requests in 600 s with at most 5 %% of errors: %s",
  async (_what, requests, errors, before, then) => {
    expect(await after({ plan: "togetheros-custom" }, requests, errors)).toEqual([before, then]);
  },
);

const stages = [{ percentage: 5, duration: 600 }, { percentage: 25 }];

test("evidence that has seen enough in this stage is enough, though the last minute has too little for other rules", async () => {
  expect(await after({ plan: { stages } }, 20)).toEqual(["progressing 5", "progressing 25"]);
  expect(await after({ plan: { stages } }, 19)).toEqual(["progressing 5", "progressing 5"]);
  const two = [{ percentage: 1, duration: 60 }, ...stages];
  const rig = await new Rig().put({ plan: { stages: two } });
  await rig.run(60, () => rig.send({ requests: 20 }));
  expect(rig.at).toBe("progressing 5");
  await rig.run(900);
  expect(rig.at).toBe("progressing 5");
});

test("what speaks against green holds it, though its own requests are enough", async () => {
  const stage = { percentage: 5, duration: 600, minRequests: 50, maxErrorRate: 0.9 };
  const plan = { stages: [stage, { percentage: 25 }] };
  const rules = [{ metric: "error_rate", above: 0.1, window: 3600, for: 3600 }] as const;
  expect(await after({ plan, rules: [...rules] }, 50, 10)).toEqual(["progressing 5", "progressing 5"]);
  expect(await after({ plan, rules: [...rules] }, 50, 5)).toEqual(["progressing 5", "progressing 25"]);
});
