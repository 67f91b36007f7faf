import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { webhookBody } from "../../../src/core/notify/formats.ts";
import {
  type AuditEntry,
  CHAIN_START,
  canonicalJson,
  hashOf,
  verifyChain,
} from "../../../src/core/rollout/audit-chain.ts";
import { compareCopy, readCopy } from "../../../src/core/rollout/audit-copy.ts";
import type { Message } from "../../../src/core/wire/outbox.ts";
import { anyRecord, chain, record } from "./records.ts";

const NUM_RUNS = 150;
const chains = fc.array(anyRecord, { minLength: 1, maxLength: 8 }).map((records) => chain(records));
const three = chain([record(), record({ percentage: 25 }), record({ percentage: 50 })]);
/** As the audit webhook is sent it. */
const message = (entry: AuditEntry): Message => ({
  key: `audit/${entry.id}`,
  at: entry.at,
  topic: "audit",
  severity: "info",
  flag: entry.flag,
  release: entry.release,
  sentence: entry.reason,
  figures: {},
  share: null,
  record: JSON.stringify(entry),
});
const all = { partial: false, madeAt: Number.POSITIVE_INFINITY };

/** What somebody could do to one record, without the hashes behind it. */
const changes: Record<string, (entry: AuditEntry) => object> = {
  "another reason": (e) => ({ ...e, reason: `${e.reason}!` }),
  "another time": (e) => ({ ...e, at: e.at + 1 }),
  "nobody's": (e) => ({ ...e, who: e.who === "" ? "?" : "", how: "kv", action: "" }),
  "another flag": (e) => ({ ...e, flag: e.flag === null ? "" : null }),
  "another percentage": (e) => ({ ...e, percentage: e.percentage === null ? 0 : null }),
  "another figure": (e) => ({ ...e, figures: { ...e.figures, extra: 1 } }),
  "a field more": (e) => ({ ...e, note: "" }),
  "a field less": ({ next: _, ...e }) => e,
  "another hash": (e) => ({ ...e, hash: e.hash.replace(/^./, (c) => (c === "0" ? "1" : "0")) }),
};

describe("a chain", () => {
  test("that nobody has touched holds, also after a way through JSON", () => {
    fc.assert(
      fc.property(chains, (entries) => {
        const { id, hash } = entries.at(-1)!;
        expect(verifyChain(entries)).toEqual({ ok: true, last: { id, hash } });
        const read = readCopy(entries.map((entry) => JSON.stringify(entry)).join("\n"));
        expect(read).toEqual({ ok: true, entries });
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test.each(Object.entries(changes))("shows a record changed to %s", (_, change) => {
    fc.assert(
      fc.property(chains, fc.nat(), (entries, n) => {
        const at = n % entries.length;
        const copy = entries.with(at, change(entries[at]!) as AuditEntry);
        const check = verifyChain(copy);
        expect(check).toMatchObject({ ok: false, id: at + 1 });
        expect(compareCopy(copy, entries, all)).toMatchObject({ ok: false, id: at + 1 });
      }),
      { numRuns: 40 },
    );
  });

  test("shows a record changed with its hash made anew, at the next one; at the end only the original does", () => {
    fc.assert(
      fc.property(chains, fc.nat(), (entries, n) => {
        const at = n % entries.length;
        const forged = { ...entries[at]!, reason: `${entries[at]!.reason}!` };
        forged.hash = hashOf(entries[at - 1]?.hash ?? CHAIN_START.hash, forged);
        const copy = entries.with(at, forged);
        if (at === entries.length - 1) expect(verifyChain(copy).ok).toBe(true);
        else expect(verifyChain(copy)).toMatchObject({ ok: false, id: at + 2 });
        expect(compareCopy(copy, entries, all)).toMatchObject({ ok: false, id: at + 1 });
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("shows records taken out; at the end only the original does", () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat({ max: 3 }), (entries, n, more) => {
        const at = n % entries.length;
        const copy = entries.toSpliced(at, 1 + more);
        const check = verifyChain(copy);
        if (at + 1 + more >= entries.length) expect(check.ok).toBe(true);
        else expect(check).toMatchObject({ ok: false, id: at + 1 });
        expect(compareCopy(copy, entries, all)).toMatchObject({ ok: false, id: at + 1 });
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("shows records put in and records exchanged, wherever it is", () => {
    fc.assert(
      fc.property(chains, anyRecord, fc.nat(), fc.nat(), (entries, extra, n, m) => {
        const at = n % entries.length;
        const [forged] = chain([extra], entries[at - 1] ?? CHAIN_START);
        expect(verifyChain(entries.toSpliced(at, 0, forged!)).ok).toBe(false);
        expect(verifyChain(entries.toSpliced(at, 0, entries[at]!)).ok).toBe(false);
        const other = m % entries.length;
        if (other === at) return;
        const swapped = entries.with(at, entries[other]!).with(other, entries[at]!);
        expect(verifyChain(swapped).ok).toBe(false);
        // The same with their numbers put right.
        expect(verifyChain(swapped.map((entry, i) => ({ ...entry, id: i + 1 }))).ok).toBe(false);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("names what is missing", () => {
    expect(verifyChain(three.slice(1))).toEqual({ ok: false, id: 1, sentence: "Record 1 is missing." });
    expect(verifyChain(three.slice(2))).toEqual({
      ok: false,
      id: 1,
      sentence: "Records 1 to 2 are missing.",
    });
  });

  test("can be checked without us: SHA-256 of the hash before, a line feed, the record as JSON with sorted keys", () => {
    const { hash, ...rest } = three[1]!;
    const json = JSON.stringify(rest, Object.keys(rest).sort());
    expect(createHash("sha256").update(`${three[0]!.hash}\n${json}`).digest("hex")).toBe(hash);
    expect(canonicalJson({ b: [{ d: 1, c: "é" }], 10: 0, 9: -0, a: undefined })).toBe(
      '{"10":0,"9":0,"b":[{"c":"é","d":1}]}',
    );
  });
});

describe("a copy", () => {
  const lines = three.map((entry) => JSON.stringify(entry));
  test.each([
    ["lines of JSON", lines.join("\r\n")],
    ["lines behind what npm says", `> greenlight@0.1.0 audit\n\n${lines.join("\n")}\n`],
    ["an answer of the API, the newest first", JSON.stringify({ entries: three.toReversed() }, null, 2)],
    ["a list", JSON.stringify(three)],
    [
      "messages to the webhook, in any order and one twice",
      [2, 0, 1, 0].map((i) => webhookBody(message(three[i]!), "info")).join("\n"),
    ],
  ])("is read from %s", (_, text) => {
    expect(readCopy(text)).toEqual({ ok: true, entries: three });
  });

  test.each([
    ["half a line", `${lines[0]}\n${lines[1]!.slice(0, 50)}`, "Line 2 is not JSON."],
    [
      "one key twice, of which a reader may see the first",
      `${lines[0]}\n${lines[1]!.replace("{", '{"reason":"x",')}`,
      "Line 2 has one key twice.",
    ],
    ["something else", `${lines[0]}\n{"id":2}`, "Line 2 holds something that is no audit record."],
    [
      "one record in two forms",
      `${lines[0]}\n${lines[0]!.replace("Gradual", "Sudden")}`,
      "Record 1 is there twice, and the two differ.",
    ],
  ])("with %s is refused", (_, text, sentence) => {
    expect(readCopy(text)).toEqual({ ok: false, sentence });
  });

  test("that begins later is the same only where one says so", () => {
    const copy = three.slice(1);
    expect(compareCopy(copy, three, all)).toMatchObject({ ok: false, id: 1 });
    expect(compareCopy(copy, three, { ...all, partial: true }).ok).toBe(true);
  });

  test("may lack records that are younger than it, no others", () => {
    const [one, two] = chain([record({ at: 1000 }), record({ at: 2000 })]) as [AuditEntry, AuditEntry];
    expect(compareCopy([one], [one, two], { partial: false, madeAt: 1999 }).ok).toBe(true);
    expect(compareCopy([one], [one, two], { partial: false, madeAt: 2000 })).toMatchObject({
      ok: false,
      id: 2,
    });
  });

  test("with a record that the original does not have differs, as it does from one that began anew", () => {
    expect(compareCopy(three, three.slice(0, 2), all)).toMatchObject({ ok: false, id: 3 });
    const anew = chain([record({ action: "recover" })]);
    expect(compareCopy(three, anew, all)).toMatchObject({ ok: false, id: 1 });
  });

  test("that differs is told with the fields in which it does", () => {
    const copy = three.with(1, { ...three[1]!, who: "x", percentage: 1 });
    expect(compareCopy(copy, three, all)).toEqual({
      ok: false,
      id: 2,
      sentence: "Record 2 differs from the original in percentage, who.",
    });
  });
});
