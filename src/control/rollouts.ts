/**
 * The rollouts of all flags: each event goes through the state machine, and what follows from it is written down in the
 * transaction of the caller. It refuses to know where events come from.
 */
import { noteLine } from "../core/flag/notes.ts";
import type { Topic } from "../core/flag/notify.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { AuditRecord, How } from "../core/rollout/audit-chain.ts";
import type { StageCounts } from "../core/rollout/history.ts";
import type { Effect, Outcome, Progress, RolloutEvent, Transition } from "../core/rollout/progress.ts";
import type { Halt } from "../core/rollout/snapshot.ts";
import { EVERY_RELEASE } from "../core/rollout/snapshot.ts";
import { greenShare, newProgress, transition } from "../core/rollout/transition.ts";
import type { AuditLog } from "./audit.ts";
import type { History } from "./history.ts";
import { messageOf } from "./messages.ts";
import type { Notes } from "./notes.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Rollout } from "./rollout.ts";
import { placeOf, publishedStatus, standingOf } from "./rollout.ts";
import type { RolloutStore } from "./rollout-store.ts";
import { isSwitchedOff } from "./switched-off.ts";

/** Who is behind an event, and the numbers that led to it. */
export interface By {
  who: string;
  how: How;
  /** What a person gave as reason, where the event itself has none. */
  reason?: string;
  /** The rule that fired, in words. */
  rule?: string;
  figures?: Record<string, number>;
}

/** The controller itself. */
export const CONTROLLER: By = { who: "controller", how: "controller" };

/** What the rollouts work on. */
export interface RolloutsHost {
  /** The decision; changed here. */
  rollout(): Rollout;
  /** Requests and failures of green since its stage began. */
  counts(flag: string, now: number): StageCounts;
  /** Rules of a flag's release begin anew: only what starts after `now` counts. */
  restartRules(flag: string, now: number): void;
  /** Green of a flag is on its way out of traffic since `now`. */
  rolledBack(flag: string, now: number): void;
  /** A flag's rollout has entered a stage or begun anew. */
  moved(flag: string, now: number): void;
}

export interface RolloutsParts {
  store: RolloutStore;
  audit: AuditLog;
  history: History;
  outgoing: Outgoing;
  notes: Notes;
}

export class Rollouts {
  readonly #parts: RolloutsParts;
  readonly #host: RolloutsHost;
  /** Flags whose clocks have moved since they were last written down. */
  readonly #dirty = new Set<string>();

  constructor(parts: RolloutsParts, host: RolloutsHost) {
    this.#parts = parts;
    this.#host = host;
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
      this.#follow({ flag, before, progress, share: this.#shareOf(flag), effect, i, now, by, left, because });
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

  /** Share of green that visitors get: none while people have switched it off. */
  #shareOf(flag: string): number {
    return isSwitchedOff(this.#host.rollout(), flag) ? 0 : greenShare(this.of(flag));
  }

  #save(flag: string): void {
    const progress = this.#host.rollout().progress.get(flag);
    if (progress) this.#parts.store.saveProgress(flag, progress);
    this.#dirty.delete(flag);
  }

  #follow(step: Step): void {
    const { flag, effect, progress, now, by } = step;
    switch (effect.type) {
      case "publish":
        this.publish(flag);
        return;
      case "tell":
        this.#parts.outgoing.message(messageOf(effect, step));
        if (effect.topic === "percentage" && this.#host.rollout().flags.get(flag)?.appendNotes)
          this.#parts.notes.add(flag, noteLine(now, effect.sentence));
        return;
      case "halt":
        this.#halt(step, effect);
        return;
      case "lift":
        this.lift(flag, progress.release);
        return;
      case "validate":
        this.#validate(step, effect);
        return;
      case "history":
        this.#remember(step, effect);
        return;
      case "restartRules":
        this.#host.restartRules(flag, now);
        return;
      case "audit":
        this.#parts.audit.add({
          at: now,
          who: by.who,
          how: by.how,
          action: effect.action,
          flag,
          release: progress.release,
          previous: placeOf(step.before),
          next: placeOf(progress),
          percentage: step.share / SHARE_PER_PERCENT,
          reason: by.reason ? `${effect.reason}: ${by.reason}` : effect.reason,
          figures: { ...(by.rule !== undefined && { rule: by.rule }), ...by.figures, ...effect.figures },
        });
        return;
      default:
        effect satisfies never;
    }
  }

  /** What is published of a flag follows its progress. */
  publish(flag: string): void {
    const rollout = this.#host.rollout();
    const status = publishedStatus(rollout, flag);
    if (!status) return;
    rollout.status.set(flag, status);
    rollout.revision++;
    this.#parts.store.saveFlags(rollout, { changed: [flag], removed: [] });
  }

  /** Takes away what sticks to a release of a flag, kills included. */
  lift(flag: string, release: string): void {
    const rollout = this.#host.rollout();
    const lifted = (halt: Halt) =>
      halt.flag === flag && (halt.release === release || halt.release === EVERY_RELEASE);
    rollout.halts = rollout.halts.filter((halt) => !lifted(halt));
    rollout.revision++;
    this.#parts.store.deleteHalts(flag, release);
  }

  #halt({ flag, now, by }: Step, effect: Extract<Effect, { type: "halt" }>): void {
    const rollout = this.#host.rollout();
    const { action, release, rule, sentence, cohort, cap } = effect;
    const halt: Halt = {
      flag,
      release,
      action,
      ...(cohort === undefined ? {} : { cohort }),
      ...(cap === undefined ? {} : { cap }),
      at: now,
      rule,
      reason: sentence,
      figures: by.figures ?? {},
    };
    rollout.halts = [...rollout.halts.filter((other) => !isSameRow(other, halt)), halt];
    rollout.revision++;
    this.#parts.store.saveHalt(halt);
    if (action === "rollback" || action === "kill") {
      if (cohort === undefined) this.#host.rolledBack(flag, now);
    }
  }

  #validate({ flag, progress, now }: Step, effect: Extract<Effect, { type: "validate" }>): void {
    const origin = this.#host.rollout().flags.get(flag)?.route?.green;
    const expectations = progress.plan?.stages[effect.stage]?.validate ?? [];
    const key = validationKey(flag, now, effect.key);
    if (origin !== undefined) {
      this.#parts.outgoing.validation({ key, flag, release: progress.release, origin, expectations });
      return;
    }
    const sentence = "The flag has no route, so there is no green to try the stage's requests on";
    this.act(flag, { type: "validated", key: effect.key, passed: false, sentence }, now);
  }

  #remember(
    { flag, progress, now, by, left, because }: Step,
    effect: Extract<Effect, { type: "history" }>,
  ): void {
    const { history } = this.#parts;
    const { requests, failures } = left;
    const at = { flag, rollout: effect.rollout, at: now };
    switch (effect.what) {
      case "started":
        history.started({
          ...at,
          release: progress.release,
          plan: progress.plan?.name ?? null,
          who: by.who,
        });
        return;
      case "stage":
        history.entered({
          ...at,
          stage: effect.stage,
          name: progress.plan?.stages[effect.stage]?.name ?? null,
          share: progress.share,
          requests,
          failures,
        });
        return;
      case "ended":
        history.ended({
          ...at,
          outcome: effect.outcome ?? ("completed" satisfies Outcome),
          reason: because,
          requests,
          failures,
        });
    }
  }
}

/** Key of a validation for the outbox, which keeps keys longer than a flag that is deleted and made anew counts its steps. */
function validationKey(flag: string, now: number, key: string): string {
  return `${flag}/${now}/${key}`;
}

/** Inverse of `validationKey`: flag names hold no slash. */
export function ownKeyOf(key: string): string {
  return key.split("/").slice(2).join("/");
}

/** One effect of an event, with what it follows from. */
export interface Step {
  flag: string;
  before: Progress;
  progress: Progress;
  /** Share of green that visitors get after it, thousandths of a percent. */
  share: number;
  effect: Effect;
  /** Its place among the effects of the event. */
  i: number;
  /** Milliseconds since the epoch. */
  now: number;
  by: By;
  /** Requests and failures of green in the stage that it was in. */
  left: StageCounts;
  /** Why it all came about, in words. */
  because: string;
}

/** What the audit log says first of an event: a rollout that ends without a word of its own ends because of that. */
function becauseOf(effects: readonly Effect[]): string {
  for (const effect of effects) if (effect.type === "audit" && effect.reason !== "") return effect.reason;
  return "";
}

const NOTHING: StageCounts = { requests: 0, failures: 0 };

function isSameRow(a: Halt, b: Halt): boolean {
  return a.flag === b.flag && a.release === b.release && a.cohort === b.cohort && a.action === b.action;
}
