/**
 * Rescue: a request that green failed is answered from blue, within a budget that keeps a bad green from becoming
 * a bad blue. One budget per isolate and blue origin. Pure; the time is a parameter (milliseconds).
 */
import type { Route } from "../core/flag/schema.ts";
import { isUnreachableStatus } from "./failure.ts";

/** Window of the budget, as ten slots of a second. */
const SLOT_MS = 1000;
const SLOTS = 10;

/** Rescues per request of blue in the window: one in five. */
const REQUESTS_PER_RESCUE = 5;
/** Rescues that a window always allows, so that a blue with little traffic can rescue too. */
const MIN_RESCUES = 5;

/** Rescues a second, and at one blow, that blue is always trusted with. */
const MIN_PER_SECOND = 5;
/** A rescue that would have to wait longer for its turn is none, milliseconds. */
const MAX_WAIT_MS = 3000;

/** After so many rescues in a row that failed, blue is left alone. */
const MAX_FAILED_IN_A_ROW = 2;

/**
 * 20 % of blue's requests of the last 10 s, at least 5. They are paced at 20 % of what blue gets in a second, at least
 * 5, so that the budget of 10 s does not fall on blue at one blow when green dies: those that come together wait for
 * their turn. After two rescues in a row that failed, blue has troubles of its own: green's answers go out as they are
 * until blue has answered a request of its own well after that, or for 10 s, whichever comes first.
 */
export class RescueBudget {
  readonly #requests = new Uint32Array(SLOTS);
  readonly #rescues = new Uint32Array(SLOTS);
  #slot = 0;
  /** When the next rescue is due at the pace; earlier than now where there was time to spare. */
  #dueAt = 0;
  #failedInARow = 0;
  #failedAt = 0;

  /** Blue was asked for a request of its own. */
  noteRequest(now: number): void {
    this.#advance(now);
    this.#requests[this.#slot % SLOTS]! += 1;
  }

  /** Blue has answered a request of its own well. */
  noteSuccess(): void {
    this.#failedInARow = 0;
  }

  /** Takes one rescue out of the budget: how long it has to wait for its turn, milliseconds; undefined for none left. */
  take(now: number): number | undefined {
    this.#advance(now);
    if (this.#failedInARow >= MAX_FAILED_IN_A_ROW) {
      if (now - this.#failedAt < SLOTS * SLOT_MS) return undefined;
      this.#failedInARow = 0;
    }
    const allowed = Math.max(MIN_RESCUES, Math.floor(sum(this.#requests) / REQUESTS_PER_RESCUE));
    if (sum(this.#rescues) >= allowed) return undefined;
    const here = this.#slot % SLOTS;
    const blues = Math.max(this.#requests[here]!, this.#requests[(here + SLOTS - 1) % SLOTS]!);
    const everyMs = SLOT_MS / Math.max(MIN_PER_SECOND, blues / REQUESTS_PER_RESCUE);
    // A generic cell rate: so many may come at one blow, the others one after the other.
    const dueAt = Math.max(this.#dueAt, now - MIN_PER_SECOND * everyMs) + everyMs;
    if (dueAt - now > MAX_WAIT_MS) return undefined;
    this.#dueAt = dueAt;
    this.#rescues[here]! += 1;
    return Math.max(0, dueAt - now);
  }

  /** Notes how a rescue ended. */
  settle(ok: boolean, now: number): void {
    if (ok) {
      this.#failedInARow = 0;
      return;
    }
    this.#failedInARow++;
    this.#failedAt = now;
  }

  /** Empties the slots that have left the window. */
  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    const steps = Math.min(slot - this.#slot, SLOTS);
    for (let i = 1; i <= steps; i++) {
      const index = (slot - steps + i) % SLOTS;
      this.#requests[index] = 0;
      this.#rescues[index] = 0;
    }
    if (slot > this.#slot) this.#slot = slot;
  }
}

/** Does green's answer of this status ask for a rescue under the route's rule? */
export function isRescued(rule: Route["rescue"], status: number): boolean {
  if (status < 500 || rule === "off") return false;
  return rule === "any-5xx" || isUnreachableStatus(status);
}

function sum(slots: Uint32Array): number {
  let total = 0;
  for (const n of slots) total += n;
  return total;
}
