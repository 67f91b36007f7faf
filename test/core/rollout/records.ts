/** Audit records and chains of them, for tests. */
import fc from "fast-check";
import {
  type AuditEntry,
  type AuditRecord,
  CHAIN_START,
  type Link,
  linked,
} from "../../../src/core/rollout/audit-chain.ts";

/** A change of a percentage, as a person orders it. */
export function record(fields: Partial<AuditRecord> = {}): AuditRecord {
  return {
    at: 1_761_912_000_000,
    who: "user@example.com",
    how: "api",
    action: "adopt",
    flag: "new_trust_algorithm",
    release: "1.0.0",
    previous: "canary 5 %",
    next: "canary 10 %",
    percentage: 10,
    reason: "Gradual canary rollout",
    figures: {},
    ...fields,
  };
}

/** The records as the log chains them. */
export function chain(records: readonly AuditRecord[], after: Link = CHAIN_START): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const one of records) entries.push(linked(entries.at(-1) ?? after, one));
  return entries;
}

const text = fc.string({ unit: "binary", maxLength: 12 });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** Any record, with characters of every kind. */
export const anyRecord: fc.Arbitrary<AuditRecord> = fc.record({
  // As far as a date goes.
  at: fc.nat({ max: 8.64e15 }),
  who: text,
  how: fc.constantFrom("api" as const, "cli" as const, "kv" as const, "controller" as const),
  action: text,
  flag: orNull(text),
  release: orNull(text),
  previous: orNull(text),
  next: orNull(text),
  percentage: orNull(fc.integer({ min: 0, max: 100_000 }).map((share) => share / 1000)),
  reason: text,
  figures: fc.dictionary(
    // No record has a figure of a name that plain parsing hides; a copy that has one is refused.
    fc.oneof(text, fc.nat({ max: 20 }).map(String)).filter((key) => key !== "__proto__"),
    fc.oneof(text, fc.double(), fc.array(text, { maxLength: 3 })),
    { maxKeys: 4 },
  ),
});
