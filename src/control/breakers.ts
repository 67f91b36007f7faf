/** Tells of breakers that keep visitors from green: as soon as the counts show one, and not again for a while. */
import type { RowId } from "../core/analysis/tally.ts";
import type { Cell } from "../core/wire/messages.ts";
import type { Rollout } from "./rollout.ts";
import type { Rollouts } from "./rollouts.ts";

/** A breaker of the same release is told again after so long, milliseconds: they open and close every minute. */
const AGAIN_MS = 10 * 60_000;

export class Breakers {
  readonly #rollout: () => Rollout;
  readonly #rollouts: Rollouts;
  /** When a breaker was told last, by flag and release. A later life tells again; better twice than never. */
  readonly #toldAt = new Map<string, number>();

  constructor(rollout: () => Rollout, rollouts: Rollouts) {
    this.#rollout = rollout;
    this.#rollouts = rollouts;
  }

  /** Looks for visitors that breakers kept from green. */
  take(cells: readonly { id: RowId; cell: Cell }[], now: number): void {
    const diverted = new Map<string, number>();
    for (const { id, cell } of cells) {
      if (id.variant !== "green" || cell.tally.diverted === 0) continue;
      if (this.#rollout().flags.get(id.flag)?.release !== id.release) continue;
      diverted.set(id.flag, (diverted.get(id.flag) ?? 0) + cell.tally.diverted);
    }
    for (const [flag, requests] of diverted) {
      const key = `${flag}|${this.#rollout().flags.get(flag)?.release}`;
      if (now - (this.#toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) continue;
      this.#toldAt.set(key, now);
      const sentence = `A circuit breaker is open: ${requests} ${requests === 1 ? "request" : "requests"} meant for green went to blue`;
      this.#rollouts.say(flag, "breaker", "breaker", sentence, now, { diverted: requests });
    }
  }
}
