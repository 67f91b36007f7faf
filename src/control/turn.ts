/** One change of what is decided: all of it or nothing, in memory as in storage, and one revision. */
import type { AuditEntry } from "../core/rollout/audit-chain.ts";
import type { AuditLog } from "./audit.ts";
import { recordMessage } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Rollout } from "./rollout.ts";
import type { RolloutStore } from "./rollout-store.ts";
import type { Waiters } from "./waiters.ts";

/** What a change is made in. */
export interface TurnParts {
  rollout(): Rollout;
  /** False while an empty store's past is not known. */
  known(): boolean;
  store: RolloutStore;
  audit: AuditLog;
  outgoing: Outgoing;
  waiters: Waiters;
}

export class Turn {
  readonly #ctx: DurableObjectState;
  readonly #parts: TurnParts;
  /** Revision before the change that is being made. */
  #before: number | undefined;

  constructor(ctx: DurableObjectState, parts: TurnParts) {
    this.#ctx = ctx;
    this.#parts = parts;
  }

  /** Revision that the change under way will have. */
  get upcoming(): number {
    return (this.#before ?? this.#parts.rollout().revision) + 1;
  }

  /**
   * Makes a change. A failure gives up memory, which is then read anew. True when what is published has changed. A change
   * within another is part of it. `last` is in the transaction as well, when the revision is known.
   */
  make(change: () => void, last?: () => void): boolean {
    const { outgoing, waiters } = this.#parts;
    const before = this.#parts.rollout().revision;
    const isChanged = () => this.#parts.rollout().revision !== before;
    if (this.#before !== undefined) {
      change();
      return isChanged();
    }
    this.#before = before;
    let entries: AuditEntry[];
    try {
      entries = this.#ctx.storage.transactionSync(() => this.#write(change, before, last));
    } catch (error) {
      this.#ctx.abort(`a decision could not be written: ${String(error)}`);
      throw error;
    } finally {
      this.#before = undefined;
    }
    for (const entry of entries) console.log(JSON.stringify({ event: "audit", ...entry }));
    outgoing.send();
    if (isChanged() || entries.length > 0) waiters.wake();
    return isChanged();
  }

  #write(change: () => void, before: number, last: (() => void) | undefined): AuditEntry[] {
    const { known, store, audit, outgoing } = this.#parts;
    change();
    const rollout = this.#parts.rollout();
    // One change is one revision, however many flags it is about. What comes back after a loss skips many.
    if (known() && rollout.revision > before) rollout.revision = before + 1;
    if (rollout.revision !== before) store.saveHead(rollout);
    last?.();
    const added = audit.takeNew();
    if (rollout.notify.audit) for (const entry of added) outgoing.message(recordMessage(entry));
    return added;
  }
}
