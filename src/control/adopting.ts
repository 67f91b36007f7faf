/** A text becomes the spec: what follows for flags, rollouts, history and audit log, in one transaction. */
import { type ParsedDocument, parseDocument } from "../core/flag/parse.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { Flag } from "../core/flag/schema.ts";
import type { AuditRecord } from "../core/rollout/audit-chain.ts";
import { onAdopt } from "../core/rollout/edits.ts";
import type { Restored } from "../core/rollout/going-back.ts";
import type { By } from "./by.ts";
import type { Ordered } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import type { Directories } from "./directories.ts";
import { type Adoption, adoptDocument, specOf } from "./rollout.ts";
import { servedOf, tellServed } from "./served.ts";
import { writtenFlags } from "./written.ts";

/** Where a text comes from. */
export interface AdoptedFrom extends Ordered {
  source: "kv" | "api";
}

/** A person has put it into KV. */
export const FROM_KV: AdoptedFrom = { source: "kv", who: "kv", how: "kv", reason: "" };

/** How an adoption stands in the audit log, where there is more to say than that it was. */
export type RecordOf = (adoption: Adoption) => Partial<AuditRecord> & Pick<AuditRecord, "action">;

/** What is known of a text besides. */
export interface Known {
  recordOf?: RecordOf | undefined;
  /** What it says, where it was read already. */
  parsed?: ParsedDocument;
}

export class Adopting {
  readonly #decisions: Decisions;
  readonly #directories: Pick<Directories, "selectedOf"> | undefined;

  /** Without directories no cohort has tenants chosen from one. */
  constructor(decisions: Decisions, directories?: Pick<Directories, "selectedOf">) {
    this.#decisions = decisions;
    this.#directories = directories;
  }

  /** Makes a text the spec. */
  adopt(text: string, hash: string, from: AdoptedFrom, now: number, known: Known = {}): boolean {
    const { rollout, rollouts, store, comparisons, telemetry, alerts, watch } = this.#decisions;
    const { source, who, how, reason } = from;
    const { recordOf, parsed = parseDocument(text) } = known;
    return this.#decisions.durably(() => {
      this.#keepFormer(now);
      const isFirst = rollout.specHash === "";
      const before = servedOf(rollout);
      const flags = new Map(rollout.flags);
      const adoption = adoptDocument(rollout, parsed, hash);
      rollout.edits = onAdopt(rollout.edits, { hash, source }, now);
      this.#mark(text, hash, from, now, isFirst);
      for (const name of adoption.changed) this.#moved(name, flags.get(name), now);
      const by: By = { who, how };
      for (const flag of adoption.removed) {
        rollouts.remove(flag, now, by);
        comparisons.forget(flag);
        telemetry.forget(flag);
        alerts.forget(flag);
        watch.forget(flag);
      }
      // What has changed is written down when it is placed, below.
      store.saveFlags(rollout, { changed: [], removed: adoption.removed });
      store.saveText(text);
      const { changed, removed, regenerated } = adoption;
      const figures = { changed, removed, regenerated, faults: parsed.faults.length };
      if (!recordOf) this.#record({ action: "adopt", figures }, from, now);
      for (const name of adoption.changed) {
        const spec = specOf(rollout.flags.get(name)!);
        rollouts.act(name, { type: "spec", spec }, now, { ...by, reason });
        this.#select(name);
        rollouts.publish(name);
      }
      tellServed(this.#decisions, before, now, by);
      // What is said of one flag says what came of it.
      if (recordOf) this.#record(recordOf(adoption), from, now);
      store.saveHead(rollout);
    });
  }

  /** Writes down an order that has changed nothing, for it was so before. */
  recordUnchanged(from: Ordered, record: ReturnType<RecordOf>, now: number): void {
    const { revision } = this.#decisions.rollout;
    const figures = { ...record.figures, revision };
    this.#decisions.durably(() => this.#record({ ...record, figures }, from, now));
  }

  /** Chooses the tenants of all cohorts anew, after a directory has changed; true when others are chosen. */
  select(): boolean {
    const { rollout, rollouts } = this.#decisions;
    return this.#decisions.durably(() => {
      for (const name of rollout.flags.keys()) if (this.#select(name)) rollouts.publish(name);
    });
  }

  /** The spec's text is known again after a loss of storage, and with it who is told what. */
  keepText(text: string): void {
    const { rollout, store } = this.#decisions;
    this.#decisions.durably(() => {
      rollout.notify = parseDocument(text).notify ?? rollout.notify;
      store.saveText(text);
      store.saveHead(rollout);
    });
  }

  /** A spec of before revisions were kept is the first of them. */
  #keepFormer(now: number): void {
    const { revisions, store, rollout } = this.#decisions;
    const text = store.text();
    if (revisions.newest || text === undefined || rollout.revision === 0) return;
    const at = rollout.edits.changedAt || now;
    const unknown = { who: "unknown", how: "controller", reason: "" } as const;
    revisions.add({ revision: rollout.revision, at, ...unknown, hash: rollout.specHash }, text);
  }

  #mark(text: string, hash: string, { who, how, reason }: Ordered, now: number, isFirst: boolean): void {
    const { revisions, marks, store, upcoming } = this.#decisions;
    const old = store.text();
    revisions.add({ revision: upcoming, at: now, who, how, reason, hash }, text);
    const written = writtenFlags(text);
    // Before the first spec there was nothing, and that is known.
    const before = isFirst || old !== undefined ? writtenFlags(old ?? NOTHING) : undefined;
    if (written) marks.adopted(written, before, { revision: upcoming, at: now });
  }

  #moved(name: string, old: Flag | undefined, now: number): void {
    const { rollout, marks, upcoming } = this.#decisions;
    const flag = rollout.flags.get(name)!;
    const next = restoredOf(flag);
    if (old && JSON.stringify(restoredOf(old)) === JSON.stringify(next)) return;
    // A plan has led it elsewhere than the document says, and from there it goes on now.
    const share = old?.plan && old.state === "canary" ? rollout.progress.get(name)?.share : undefined;
    const before = old && {
      ...restoredOf(old),
      ...(share !== undefined && { percentage: share / SHARE_PER_PERCENT }),
    };
    marks.moved(name, next, before, { revision: upcoming, at: now });
  }

  #record(record: ReturnType<RecordOf>, { who, how, reason }: Ordered, now: number): void {
    const { audit, upcoming, rollout } = this.#decisions;
    const nothing = { flag: null, release: null, previous: null, next: null, percentage: null };
    const figures = { revision: upcoming, hash: rollout.specHash, ...record.figures };
    audit.add({ at: now, who, how, reason, ...nothing, ...record, figures });
  }

  /** Chooses the tenants of a flag's cohorts; true when they are others than before. */
  #select(name: string): boolean {
    const { rollout } = this.#decisions;
    const flag = rollout.flags.get(name);
    if (!flag || !this.#directories) return false;
    const { selected, unmet, faults } = this.#directories.selectedOf(name, flag);
    const wanting = [...unmet, ...faults.map(({ message }) => message)];
    rollout.wanting.set(name, wanting);
    if (JSON.stringify(selected) === JSON.stringify(rollout.selected.get(name))) return false;
    if (selected) rollout.selected.set(name, selected);
    else rollout.selected.delete(name);
    return true;
  }
}

/** The document before there was one. */
const NOTHING = '{"flags":{}}';

function restoredOf({ state, percentage, release }: Flag): Restored {
  return { state, percentage, release };
}
