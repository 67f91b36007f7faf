/**
 * The rollouts of all flags: each event goes through the state machine, and what follows from it is written down in the
 * transaction of the caller. It refuses to know where events come from.
 */
import type { Topic } from "../core/flag/notify.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { AuditRecord } from "../core/rollout/audit-chain.ts";
import type { StageCounts } from "../core/rollout/history.ts";
import type { Effect, Progress, RolloutEvent, Transition } from "../core/rollout/progress.ts";
import { greenShare, newProgress, transition } from "../core/rollout/transition.ts";
import { type By, CONTROLLER } from "./by.ts";
import { Effects, type RolloutsHost, type RolloutsParts } from "./effects.ts";
import { messageOf } from "./messages.ts";
import { standingOf } from "./rollout.ts";
import { isSwitchedOff } from "./switched-off.ts";

export class Rollouts {
  readonly #parts: RolloutsParts;
  readonly #host: RolloutsHost;
  /** Flags whose clocks have moved since they were last written down. */
  readonly #dirty = new Set<string>();
  readonly #effects: Effects;

  constructor(parts: RolloutsParts, host: RolloutsHost) {
    this.#parts = parts;
    this.#host = host;
    this.#effects = new Effects(parts, host, (flag, key, sentence, now) => {
      this.act(flag, { type: "validated", key, passed: false, sentence }, now);
    });
  }

  /** Progress of a flag. What sticks to its releases does so also where it was taken out of the document and comes back. */
  of(flag: string): Progress {
    const { progress, halts } = this.#host.rollout();
    return progress.get(flag) ?? { ...newProgress(), standing: standingOf(halts, flag) };
  }

  /** Plays an event, and writes down what follows. A refusal changes nothing. */
  act(flag: string, event: RolloutEvent, now: number, by: By = CONTROLLER): Transition {
    const before = this.of(flag);
    const result = transition(before, event, now);
    if (!result.ok) return result;
    const { progress, effects } = result;
    // The history has the counts of the stage that is left, so they are read while the flag is still in it.
    const left = effects.some(({ type }) => type === "history") ? this.#host.counts(flag, now) : NOTHING;
    const because = becauseOf(effects) || (progress.why ?? "");
    this.#host.rollout().progress.set(flag, progress);
    if (progress.step !== before.step || effects.length > 0) this.#save(flag);
    else if (progress !== before) this.#dirty.add(flag);
    if (progress.stageAt !== before.stageAt || progress.startedAt !== before.startedAt)
      this.#host.moved(flag, now);
    for (const [i, effect] of effects.entries())
      this.#effects.follow({
        flag,
        before,
        progress,
        share: this.#shareOf(flag),
        effect,
        i,
        now,
        by,
        left,
        because,
      });
    return result;
  }

  /** Forgets a flag that is no longer in the spec; how its rollout ended stays in the history. */
  remove(flag: string, now: number, by: By): void {
    this.act(flag, { type: "removed" }, now, by);
    this.#host.rollout().progress.delete(flag);
    this.#dirty.delete(flag);
    this.#parts.store.deleteProgress(flag);
  }

  /** Writes down the clocks that have moved. */
  saveChanged(): void {
    for (const flag of [...this.#dirty]) this.#save(flag);
  }

  /** Tells something of a flag that no event of the machine has led to, and writes it into the audit log. */
  say(
    flag: string,
    topic: Topic,
    action: string,
    sentence: string,
    now: number,
    figures: Record<string, number> = {},
    by: By = CONTROLLER,
  ): void {
    this.tell(flag, topic, sentence, now, { ...by, figures });
    this.record(flag, action, sentence, now, by, { figures });
  }

  /** Tells something of a flag that is in the audit log already. */
  tell(flag: string, topic: Topic, sentence: string, now: number, by: By): void {
    const before = this.of(flag);
    const progress = { ...before, step: before.step + 1 };
    this.amend(flag, progress);
    const share = this.#shareOf(flag);
    this.#parts.outgoing.message(messageOf({ topic, sentence }, { flag, progress, share, i: 0, now, by }));
  }

  /** Writes into the audit log what no effect of the machine has written. */
  record(
    flag: string,
    action: string,
    reason: string,
    now: number,
    { who, how }: By,
    more: Partial<Pick<AuditRecord, "release" | "previous" | "next" | "figures">> = {},
  ): void {
    const { release } = this.of(flag);
    const percentage = this.#shareOf(flag) / SHARE_PER_PERCENT;
    const record = {
      at: now,
      who,
      how,
      action,
      flag,
      release,
      previous: null,
      next: null,
      percentage,
      reason,
    };
    this.#parts.audit.add({ ...record, figures: {}, ...more });
  }

  /** Changes what the machine does not know of: the time of a rollback. */
  amend(flag: string, progress: Progress): void {
    this.#host.rollout().progress.set(flag, progress);
    this.#save(flag);
  }

  /** What is published of a flag follows its progress. */
  publish(flag: string): void {
    this.#effects.publish(flag);
  }

  /** Takes away what sticks to a release of a flag, kills included. */
  lift(flag: string, release: string): void {
    this.#effects.lift(flag, release);
  }

  /** Share of green that visitors get: none while people have switched it off. */
  #shareOf(flag: string): number {
    return isSwitchedOff(this.#host.rollout(), flag) ? 0 : greenShare(this.of(flag));
  }

  #save(flag: string): void {
    const progress = this.#host.rollout().progress.get(flag);
    if (progress) this.#parts.store.saveProgress(flag, progress);
    this.#dirty.delete(flag);
  }
}

/** What the audit log says first of an event: a rollout that ends without a word of its own ends because of that. */
function becauseOf(effects: readonly Effect[]): string {
  for (const effect of effects) if (effect.type === "audit" && effect.reason !== "") return effect.reason;
  return "";
}

const NOTHING: StageCounts = { requests: 0, failures: 0 };
