/** How long rollbacks take until green's last answer: seen in the counts, told when it is known or over the budget. */
import type { RowId } from "../core/analysis/tally.ts";
import type { RollbackTime } from "../core/rollout/progress.ts";
import {
  beganRollback,
  checked,
  doneSentence,
  overdueSentence,
  ROLLBACK_QUIET_MS,
  sawGreen,
} from "../core/rollout/rollback-time.ts";
import { type Cell, TICK_MS } from "../core/wire/messages.ts";
import type { Rollout } from "./rollout.ts";
import type { Rollouts } from "./rollouts.ts";

export class Rollbacks {
  readonly #rollout: () => Rollout;
  readonly #rollouts: Rollouts;

  constructor(rollout: () => Rollout, rollouts: Rollouts) {
    this.#rollout = rollout;
    this.#rollouts = rollouts;
  }

  /** Green of a flag goes out of traffic from `now` on, milliseconds since the epoch. */
  began(flag: string, now: number): void {
    this.#keep(flag, beganRollback(now));
  }

  /** Green is back in traffic: what it answers is no longer late. */
  over(flag: string): void {
    if (this.#timeOf(flag)) this.#keep(flag, undefined);
  }

  /** Takes notice of green's requests after a rollback. */
  take(cells: readonly { id: RowId; cell: Cell }[]): void {
    for (const { id, cell } of cells) {
      if (id.variant !== "green" || cell.tally.requests === 0) continue;
      const before = this.#timeOf(id.flag);
      const release = this.#rollout().flags.get(id.flag)?.release;
      if (!before || release !== id.release) continue;
      const after = sawGreen(before, cell.tick * TICK_MS);
      if (after !== before) this.#keep(id.flag, after);
    }
  }

  /** Looks at the rollbacks that last, and tells what has become known. `heardAt`: when isolates reported last. */
  check(now: number, heardAt: number): void {
    for (const flag of this.#lasting(now)) this.#check(flag, now, heardAt);
  }

  /** Does any rollback last? */
  isAny(now: number): boolean {
    return this.#lasting(now).length > 0;
  }

  #check(flag: string, now: number, heardAt: number): void {
    const spec = this.#rollout().flags.get(flag);
    const before = this.#timeOf(flag);
    if (!spec || !before) return;
    const budgetSeconds = spec.rollbackTimeSeconds;
    const look = checked(before, { now, heardAt, budgetSeconds });
    if (look.state !== before) this.#keep(flag, look.state);
    const of = { flag, release: spec.release };
    if (look.overdue !== undefined) {
      const sentence = overdueSentence({ ...of, afterMs: look.overdue, budgetSeconds });
      this.#rollouts.say(flag, "rollback-time", "rollback-late", sentence, now, {
        afterMs: look.overdue,
        budgetSeconds,
      });
    }
    if (look.done !== undefined) {
      const sentence = doneSentence({ ...of, tookMs: look.done });
      this.#rollouts.say(flag, "rollback-time", "rolled-back", sentence, now, {
        tookMs: look.done,
        budgetSeconds,
      });
    }
  }

  #lasting(now: number): string[] {
    const lasting: string[] = [];
    for (const [flag, { rollback }] of this.#rollout().progress) {
      if (!rollback) continue;
      const young =
        rollback.tookMs !== undefined && now - rollback.at - rollback.tookMs < 4 * ROLLBACK_QUIET_MS;
      if (rollback.tookMs === undefined || young) lasting.push(flag);
    }
    return lasting;
  }

  #timeOf(flag: string): RollbackTime | undefined {
    return this.#rollout().progress.get(flag)?.rollback;
  }

  #keep(flag: string, rollback: RollbackTime | undefined): void {
    this.#rollouts.amend(flag, { ...this.#rollouts.of(flag), rollback });
  }
}
