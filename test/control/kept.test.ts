/** Promises of what the controller keeps beside its decisions: the audit log, the history of rollouts, waiting notes. */
import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuditLog } from "../../src/control/audit.ts";
import { History } from "../../src/control/history.ts";
import { Notes } from "../../src/control/notes.ts";
import { verifyChain } from "../../src/core/rollout/audit-chain.ts";
import { initialEdits, KV_DELAY_MS, onAdopt, onPut } from "../../src/core/rollout/edits.ts";
import { KEPT_MS, KEPT_ROLLOUTS } from "../../src/core/rollout/history.ts";
import { anyRecord, record } from "../core/rollout/records.ts";
import { bindings } from "./parts.ts";

const T = 1_800_000_000_000;

/** Does something with the storage of a controller that nobody has asked anything yet. */
async function inStorage(act: (storage: DurableObjectStorage) => void): Promise<void> {
  const stub = bindings.CONTROLLER.get(bindings.CONTROLLER.newUniqueId());
  await runInDurableObject(stub, (_, { storage }) => act(storage));
}

const everything = { limit: 1_000_000 };

describe("the audit log", () => {
  test("gives back what was added, the newest first, in one chain that goes on after a restart", () =>
    inStorage((storage) => {
      fc.assert(
        fc.property(fc.array(anyRecord, { maxLength: 5 }), (records) => {
          const log = new AuditLog(storage);
          const before = log.read(everything);
          const added = records.map((one) => log.add(one));
          expect(log.read(everything)).toEqual([...added.toReversed(), ...before]);
          expect(log.takeNew()).toEqual(added);
          expect(log.takeNew()).toEqual([]);
          expect(verifyChain(log.read(everything).reverse())).toMatchObject({ ok: true });
        }),
        { numRuns: 30 },
      );
    }));

  test("is read page by page, and by flag", () =>
    inStorage((storage) => {
      const log = new AuditLog(storage);
      for (const flag of ["a", "b", "a", null, "a"]) log.add(record({ flag }));
      const ids = (page: Parameters<AuditLog["read"]>[0]) => log.read(page).map(({ id }) => id);
      expect(ids({ limit: 2 })).toEqual([5, 4]);
      expect(ids({ limit: 2, before: 4 })).toEqual([3, 2]);
      expect(ids({ limit: 2, flag: "a" })).toEqual([5, 3]);
      expect(ids({ limit: 2, before: 3, flag: "a" })).toEqual([1]);
    }));

  test.each([
    ["change", "UPDATE audit_log SET record = '{}' WHERE id = 1"],
    ["take out", "DELETE FROM audit_log WHERE id = 2"],
    ["empty", "DELETE FROM audit_log"],
    ["replace", "INSERT OR REPLACE INTO audit_log (id, flag, hash, record) VALUES (1, NULL, '', '{}')"],
    ["put in before", "INSERT INTO audit_log (id, flag, hash, record) VALUES (0, NULL, '', '{}')"],
    ["leave a gap in", "INSERT INTO audit_log (id, flag, hash, record) VALUES (9, NULL, '', '{}')"],
    [
      "upsert into",
      "INSERT INTO audit_log (id, flag, hash, record) VALUES (1, NULL, '', '{}') ON CONFLICT (id) DO UPDATE SET record = '{}'",
    ],
  ])("lets no statement %s what is in it", (_, statement) =>
    inStorage((storage) => {
      const log = new AuditLog(storage);
      log.add(record());
      log.add(record());
      const before = log.read(everything);
      expect(() => storage.sql.exec(statement)).toThrow("append-only");
      expect(log.read(everything)).toEqual(before);
    }),
  );

  test("takes over what an earlier release has written, once, and tells it to nobody again", () =>
    inStorage((storage) => {
      storage.sql.exec(`
        CREATE TABLE audit (
          id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
          flag TEXT, release TEXT, reason TEXT NOT NULL, figures TEXT NOT NULL)`);
      const former = ["controller", "kv", "api", ...Array.from({ length: 1000 }, () => "controller")];
      for (const [i, who] of former.entries()) {
        storage.sql.exec(
          "INSERT INTO audit (at, who, action, flag, release, reason, figures) VALUES (?, ?, 'halt', 'shop', '1.0', 'bad', ?)",
          T + i,
          who,
          '{"rule":"error_rate","rate":0.5}',
        );
      }
      const log = new AuditLog(storage);
      const taken = log.read(everything).reverse();
      expect(taken.map(({ who, at }) => ({ who, at }))).toEqual(former.map((who, i) => ({ who, at: T + i })));
      expect(taken.slice(0, 3).map(({ how }) => how)).toEqual(["controller", "kv", "api"]);
      expect(taken[0]).toMatchObject({
        flag: "shop",
        action: "halt",
        figures: { rule: "error_rate", rate: 0.5 },
      });
      expect(verifyChain(taken)).toMatchObject({ ok: true });
      expect(log.takeNew()).toEqual([]);
      expect(log.add(record()).id).toBe(former.length + 1);
      expect(new AuditLog(storage).read(everything)).toHaveLength(former.length + 1);
    }));
});

describe("the history", () => {
  const started = { release: "2.1.0", plan: "orca", who: "ann" };
  const over = { outcome: "completed" as const, reason: "", requests: 9, failures: 1 };

  test("has of each rollout its stages with times, shares and counts, and how it ended", () =>
    inStorage((storage) => {
      const history = new History(storage);
      const of = { flag: "shop", rollout: 3 };
      history.started({ ...of, at: T, ...started });
      history.entered({ ...of, at: T, stage: 0, share: 5000, requests: 0, failures: 0 });
      history.entered({
        ...of,
        at: T + 10,
        stage: 1,
        name: "half",
        share: 50_000,
        requests: 700,
        failures: 3,
      });
      const lasting = { leftAt: null, requests: null, failures: null };
      const first = {
        stage: 0,
        name: null,
        share: 5000,
        enteredAt: T,
        leftAt: T + 10,
        requests: 700,
        failures: 3,
      };
      const second = { stage: 1, name: "half", share: 50_000, enteredAt: T + 10 };
      const open = { endedAt: null, outcome: null, reason: null };
      const rollout = { ...of, ...started, startedAt: T };
      expect(history.read("shop", 10)).toEqual([
        { ...rollout, ...open, stages: [first, { ...second, ...lasting }] },
      ]);
      history.ended({ ...of, at: T + 30, ...over, outcome: "halted", reason: "Green failed" });
      expect(new History(storage).read("shop", 10)).toEqual([
        {
          ...rollout,
          endedAt: T + 30,
          outcome: "halted",
          reason: "Green failed",
          stages: [first, { ...second, leftAt: T + 30, requests: 9, failures: 1 }],
        },
      ]);
      expect(history.read("cart", 10)).toEqual([]);
    }));

  test("keeps every rollout for 90 days after its end, and the newest ten of each flag for good", () =>
    inStorage((storage) => {
      const history = new History(storage);
      const run = (flag: string, rollout: number, at: number) => {
        history.started({ flag, rollout, at, ...started });
        history.ended({ flag, rollout, at: at + 1, ...over });
      };
      const kept = (flag: string) => history.read(flag, 100).map(({ rollout }) => rollout);
      for (let i = 1; i <= 12; i++) run("shop", i, T);
      run("cart", 1, T);
      expect(kept("shop")).toHaveLength(12);
      history.started({ flag: "cart", rollout: 2, at: T + 1 + KEPT_MS, ...started });
      expect(kept("shop")).toHaveLength(12);
      history.ended({ flag: "cart", rollout: 2, at: T + 2 + KEPT_MS, ...over });
      expect(kept("shop")).toEqual(Array.from({ length: KEPT_ROLLOUTS }, (_, i) => 12 - i));
      expect(kept("cart")).toEqual([2, 1]);
      for (let i = 13; i <= 40; i++) run("shop", i, T + 2 * KEPT_MS);
      expect(kept("shop")).toHaveLength(28);
    }));

  test("never prunes a rollout that lasts", () =>
    inStorage((storage) => {
      const history = new History(storage);
      history.started({ flag: "slow", rollout: 1, at: T, ...started });
      for (let i = 1; i <= 12; i++) {
        history.started({ flag: "shop", rollout: i, at: T + i * KEPT_MS, ...started });
        history.ended({ flag: "shop", rollout: i, at: T + i * KEPT_MS, ...over });
      }
      expect(history.read("slow", 10)).toHaveLength(1);
      expect(history.read("shop", 100)).toHaveLength(10);
    }));

  test("ends a rollout by the next one of its flag, also one whose number has begun anew", () =>
    inStorage((storage) => {
      const history = new History(storage);
      history.started({ flag: "shop", rollout: 1, at: T, ...started });
      history.entered({ flag: "shop", rollout: 1, at: T, stage: 0, share: 1, requests: 0, failures: 0 });
      history.started({ flag: "shop", rollout: 1, at: T + 5, ...started, release: "2.2.0" });
      const [next, before] = history.read("shop", 10);
      expect(next).toMatchObject({ release: "2.2.0", endedAt: null, stages: [] });
      expect(before).toMatchObject({ outcome: "superseded", endedAt: T + 5 });
      expect(before!.stages[0]).toMatchObject({ leftAt: T + 5, requests: null });
    }));

  test("goes on with a rollout whose beginning was lost", () =>
    inStorage((storage) => {
      const history = new History(storage);
      history.entered({ flag: "shop", rollout: 4, at: T, stage: 2, share: 1, requests: 5, failures: 0 });
      expect(history.read("shop", 10)).toMatchObject([{ rollout: 4, release: null, stages: [{ stage: 2 }] }]);
    }));
});

describe("notes that wait", () => {
  /** The document as adopted at `T` and seen in KV since. */
  const adopted = { ...onAdopt(initialEdits(), { hash: "a", source: "kv" }, T), seen: true };

  test("are handed out in order once nothing has changed for as long as KV may hide an edit, until they are done", () =>
    inStorage((storage) => {
      const notes = new Notes(storage);
      expect(notes.waiting).toBe(false);
      notes.add("shop", "one");
      notes.add("cart", "two");
      expect(notes.waiting).toBe(true);
      expect(notes.due(adopted, T + KV_DELAY_MS - 1)).toEqual([]);
      const due = new Notes(storage).due(adopted, T + KV_DELAY_MS);
      expect(due.map(({ flag, line }) => [flag, line])).toEqual([
        ["shop", "one"],
        ["cart", "two"],
      ]);
      notes.done(due.slice(0, 1));
      expect(notes.due(adopted, T + KV_DELAY_MS)).toEqual(due.slice(1));
      notes.done(due);
      expect(notes.waiting).toBe(false);
    }));

  test("wait while the document has not been seen in KV, has yet to be put there, or was put just now", () =>
    inStorage((storage) => {
      const notes = new Notes(storage);
      notes.add("shop", "one");
      const later = T + 10 * KV_DELAY_MS;
      expect(notes.due({ ...adopted, seen: false }, later)).toEqual([]);
      expect(notes.due({ ...adopted, unput: true }, later)).toEqual([]);
      const put = onPut(adopted, { hash: "a", revision: 7 }, later);
      expect(notes.due(put, later + KV_DELAY_MS - 1)).toEqual([]);
      expect(notes.due(put, later + KV_DELAY_MS)).toHaveLength(1);
    }));

  test("are a thousand at most", () =>
    inStorage((storage) => {
      const notes = new Notes(storage);
      for (let i = 0; i < 1003; i++) notes.add("shop", `${i}`);
      const due = notes.due(adopted, T + KV_DELAY_MS);
      expect(due).toHaveLength(1000);
      expect(due[0]!.line).toBe("3");
    }));
});
