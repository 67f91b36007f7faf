/**
 * What follows from an event of a rollout, written down: what is published, told, halted, lifted, tried and remembered. In
 * the transaction of the event.
 */
import { noteLine } from "../core/flag/notes.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { StageCounts } from "../core/rollout/history.ts";
import type { Effect, Outcome, Progress } from "../core/rollout/progress.ts";
import { EVERY_RELEASE, type Halt } from "../core/rollout/snapshot.ts";
import type { AuditLog } from "./audit.ts";
import type { By } from "./by.ts";
import type { History } from "./history.ts";
import { messageOf } from "./messages.ts";
import type { Notes } from "./notes.ts";
import type { Outgoing } from "./outgoing.ts";
import { placeOf, publishedStatus, type Rollout } from "./rollout.ts";
import type { RolloutStore } from "./rollout-store.ts";

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

/** A list of requests that cannot be tried fails at once. */
export type Untried = (flag: string, key: string, sentence: string, now: number) => void;

export class Effects {
  readonly #parts: RolloutsParts;
  readonly #host: RolloutsHost;
  readonly #untried: Untried;

  constructor(parts: RolloutsParts, host: RolloutsHost, untried: Untried) {
    this.#parts = parts;
    this.#host = host;
    this.#untried = untried;
  }

  /** Writes down one effect. */
  follow(step: Step): void {
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
    this.#untried(flag, effect.key, sentence, now);
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

function isSameRow(a: Halt, b: Halt): boolean {
  return a.flag === b.flag && a.release === b.release && a.cohort === b.cohort && a.action === b.action;
}
