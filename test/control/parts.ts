/** The objects as isolates and the API see them, and batches and documents to give them. */
/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { RolloutController } from "../../src/control/controller.ts";
import type { CohortCounters } from "../../src/control/counters.ts";
import { emptyTally, type RowId, rowKey, type Tally } from "../../src/core/analysis/tally.ts";
import type { DocumentInput, FlagInput } from "../../src/core/flag/schema.ts";
import { encodeBatch } from "../../src/core/wire/encode.ts";
import { type Batch, type Cell, TICK_MS, WIRE_VERSION } from "../../src/core/wire/messages.ts";

export const bindings = env as unknown as Env;

export function shard(i = 0): DurableObjectStub<CohortCounters> {
  return bindings.COUNTERS.getByName(`shard-${i}`) as unknown as DurableObjectStub<CohortCounters>;
}

export function controller(): DurableObjectStub<RolloutController> {
  return bindings.CONTROLLER.getByName("controller") as unknown as DurableObjectStub<RolloutController>;
}

/** A cell of the present tick. */
export function cell(id: Partial<RowId>, tally: Partial<Tally>): Cell {
  const row = rowKey({
    flag: "shop",
    release: "1.0",
    cohort: "ga",
    variant: "green",
    placement: "hash",
    ...id,
  });
  return { row, tick: Math.floor(Date.now() / TICK_MS), tally: { ...emptyTally(), ...tally } };
}

export function batch(isolate: string, seq: number, cells: Cell[], more: Partial<Batch> = {}) {
  return encodeBatch({ v: WIRE_VERSION, isolate, seq, cells, inFlight: [], revision: 0, lost: 0, ...more });
}

/** A document with the flag `shop`, a canary at 50 % of release 1.0, halted above 10 % errors of at least 20 requests. */
export function document(shop: Partial<FlagInput> = {}, others: DocumentInput["flags"] = {}): string {
  const rules: FlagInput["rules"] = [{ metric: "error_rate", above: 0.1, minRequests: 20 }];
  const flag: FlagInput = { state: "canary", percentage: 50, release: "1.0", rules, ...shop };
  return JSON.stringify({ flags: { shop: flag, ...others } } satisfies DocumentInput);
}

/** What the document of `document()` calls bad, in the present tick. */
export function bad(): Cell {
  return cell({}, { requests: 40, errors: 10, visitors: [1, 2, 3] });
}

/** A hand edit: text without metadata. */
export async function handEdit(text: string): Promise<void> {
  await bindings.FLAGS.put("flags", text);
}

/** Starts the controller with a spec. */
export async function withSpec(text = document()): Promise<void> {
  await handEdit(text);
  await vi.waitFor(async () => {
    if (!(await controller().current())) throw new Error("no spec yet");
  });
}

/** Waits until nothing is being put any more: it would be the next test's. */
export async function quiet(): Promise<void> {
  await vi.waitFor(
    async () => {
      const [document, current] = [await controller().document(), await controller().current()];
      const [text, snapshot] = [await bindings.FLAGS.get("flags"), await bindings.FLAGS.get("snapshot")];
      if (document && document.text !== text) throw new Error("the document is still being put");
      if (current && snapshot === null) throw new Error("the snapshot is still being put");
    },
    { timeout: 5000 },
  );
}

/** Sums of one flag over its rows, as the status shows them. */
export async function sumsOf(flag = "shop") {
  const status = await controller().status();
  const rows = status.flags.find((f) => f.name === flag)?.rows ?? [];
  const sum = (field: "requests" | "errors") => rows.reduce((n, r) => n + r[field], 0);
  return { requests: sum("requests"), errors: sum("errors") };
}
