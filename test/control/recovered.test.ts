/** Promises of a controller that goes on from what was published before it. */
import { expect, test } from "vitest";
import { emptyRollout, recovered, snapshotOf } from "../../src/control/rollout.ts";
import { KV_DELAY_MS, onOffer, onRead } from "../../src/core/rollout/edits.ts";

const T = 1_790_000_000_000;
const { edits, revision } = recovered(
  snapshotOf({ ...emptyRollout(), revision: 40, specHash: "now" }, T)!,
  T,
);

test("its revision is above any that anyone can have seen", () => {
  expect(revision).toBeGreaterThan(40 + KV_DELAY_MS / 1000);
});

test("an old reading of KV is not taken for an edit", () => {
  expect(onRead(edits, { hash: "old", revision: 39 }, T + 1000).action).toBe("none");
  expect(onRead(edits, { hash: "old", revision: undefined }, T + 1000).action).toBe("later");
  expect(onOffer(edits, { hash: "old" }, T + 1000)).toBe("read");
});

test("an edit that is still there after KV's delay is", () => {
  expect(onRead(edits, { hash: "new", revision: undefined }, T + KV_DELAY_MS).action).toBe("adopt");
});
