/**
 * The watch over the flags: judges green of those that have new counts, does what their rules ask for, and looks
 * whether their rollouts may go on. All of it in the transaction of its caller.
 */
import type { FiredRule, Judgement } from "../core/analysis/judge.ts";
import type { RuleMemory } from "../core/analysis/rule-memory.ts";
import type { Sums } from "../core/analysis/sums.ts";
import type { Telemetry } from "../core/analysis/telemetry.ts";
import type { Flag } from "../core/flag/schema.ts";
import type { Halt } from "../core/rollout/snapshot.ts";
import { stageOf } from "../core/rollout/stages.ts";
import type { AlertStore } from "./alert-store.ts";
import { CONTROLLER } from "./by.ts";
import type { Comparisons } from "./comparisons.ts";
import type { Evidence } from "./evidence.ts";
import { judgeSafely } from "./judging.ts";
import { type GatesMemory, isSetBack, type Looked, lookOf, needsLook } from "./looking.ts";
import { haltsOf, isJudged, type Rollout } from "./rollout.ts";
import type { RolloutStore } from "./rollout-store.ts";
import type { Rollouts } from "./rollouts.ts";
import { isSwitchedOff } from "./switched-off.ts";

/** Looks at one rollout are so far apart at least, milliseconds: gates need not be looked at with every batch. */
const LOOK_MS = 1_000;

export interface WatchParts {
  rollout(): Rollout;
  rollouts: Rollouts;
  sums: Sums;
  evidence: Evidence;
  comparisons: Comparisons;
  telemetry(flag: string, now: number): Telemetry;
  alerts: AlertStore;
  store: RolloutStore;
  /** Writes down what a dry run has kept from happening. */
  wouldHalt(halt: Halt): void;
}

export class Watch {
  readonly #parts: WatchParts;
  /** Memory of the gates of each flag's present stage, and whose has changed since it was last written down. */
  readonly #gates: Map<string, GatesMemory>;
  readonly #dirty = new Set<string>();
  /** Memory of the rules of releases before their first count: alerts and gauges speak earlier. */
  readonly #uncounted = new Map<string, RuleMemory>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#gates = new Map(parts.store.loadGates());
  }

  /** Writes down what the gates remember. */
  save(): void {
    for (const name of this.#dirty) this.#parts.store.saveGates(name, this.#gates.get(name)!);
    this.#dirty.clear();
  }

  /** Forgets a flag. */
  forget(name: string): void {
    this.#gates.delete(name);
    this.#dirty.delete(name);
    for (const key of this.#uncounted.keys()) if (key.startsWith(`${name}|`)) this.#uncounted.delete(key);
  }

  /** Judges these flags and looks at their rollouts. */
  judge(names: Iterable<string>, now: number): void {
    const { rollout, rollouts } = this.#parts;
    for (const name of names) {
      const flag = rollout().flags.get(name);
      if (!flag) continue;
      const judgement = isJudged(rollout(), name) ? this.#judge(name, flag, now) : undefined;
      const progress = rollouts.of(name);
      if (!needsLook(progress) || Math.abs(now - progress.lookedAt) < LOOK_MS) continue;
      const { look } = this.look(name, flag, now, judgement);
      rollouts.act(name, { type: "look", look, stopped: isSwitchedOff(rollout(), name) }, now);
    }
  }

  /** Every flag whose rollout has something to wait for. */
  awaited(): string[] {
    const { rollouts, rollout } = this.#parts;
    return [...rollout().flags.keys()].filter((name) => needsLook(rollouts.of(name)));
  }

  /** What a rollout waits for, as it stands now; its gates take note of the look. */
  look(name: string, flag: Flag, now: number, known?: Judgement): Looked {
    const looked = this.peek(name, flag, now, known);
    const { memory } = looked;
    const former = this.#gates.get(name);
    this.#gates.set(name, memory);
    // What had to hold and broke is written down at once: a crash must not make it whole again.
    if (former && isSetBack(former, memory)) this.#parts.store.saveGates(name, memory);
    else this.#dirty.add(name);
    return looked;
  }

  /** What a rollout waits for, as it stands now. Changes nothing. */
  peek(name: string, flag: Flag, now: number, known = this.judgement(name, flag, now)): Looked {
    const { rollouts, telemetry, evidence } = this.#parts;
    const window = evidence.of(name, flag.release);
    return lookOf({
      progress: rollouts.of(name),
      judgement: known,
      sources: { flag, window, telemetry: telemetry(name, now), now },
      memory: this.#gates.get(name),
    });
  }

  /** What is found about a flag now. Changes nothing. */
  judgement(name: string, flag: Flag, now: number): Judgement {
    const { sums, evidence, comparisons, telemetry, rollouts } = this.#parts;
    const compared = comparisons.of(name);
    const heardAt = Math.max(0, ...sums.shards().map(({ seenAt }) => seenAt));
    return judgeSafely(name, {
      flag,
      stage: stageOf(rollouts.of(name)),
      window: evidence.of(name, flag.release),
      telemetry: telemetry(name, now),
      comparison: compared?.view(),
      memory: compared ? compared.memory : this.#uncounted.get(uncounted(name, flag)),
      heardAt,
      now,
    });
  }

  #judge(name: string, flag: Flag, now: number): Judgement {
    const { comparisons } = this.#parts;
    const judgement = this.judgement(name, flag, now);
    const compared = comparisons.of(name);
    if (compared) compared.remember(judgement.memory);
    else this.#uncounted.set(uncounted(name, flag), judgement.memory);
    this.#fire(name, flag, judgement.fired, now);
    return judgement;
  }

  /**
   * Does what the rules ask for that fire, the strongest first; each but alerts once for a release. One that finds it
   * done, by another rule or a person, is told all the same: who resumes has to know of it.
   */
  #fire(name: string, flag: Flag, fired: readonly FiredRule[], now: number): void {
    const { rollout, rollouts, comparisons, alerts } = this.#parts;
    const fresh = alerts.fresh(name, fired.filter(({ action }) => action === "alert").map(keyOf));
    for (const { key, rule, action, sentence, figures, cohort } of fired) {
      if (flag.dryRun && action !== "alert") {
        const halt: Halt = {
          flag: name,
          release: flag.release,
          action,
          at: now,
          rule,
          reason: sentence,
          figures,
        };
        if (cohort !== undefined) halt.cohort = cohort;
        if (!comparisons.of(name)?.note(halt)) continue;
        this.#parts.wouldHalt(halt);
        comparisons.save(name);
        continue;
      }
      const one = keyOf({ key, cohort });
      const done = action !== "alert" && this.#isDone(name, flag, action, cohort);
      if (action === "alert" ? !fresh.has(one) : done && !alerts.isFirst(name, one)) continue;
      const by = { ...CONTROLLER, figures, rule };
      rollouts.act(name, { type: "rule", action: done ? "alert" : action, rule, sentence, cohort }, now, by);
      if (action !== "alert" && !done) alerts.isFirst(name, one);
      if (!isJudged(rollout(), name)) return;
    }
  }

  /** Has it been done to this release already? A reduction may be done again: its rule begins anew after each. */
  #isDone(name: string, flag: Flag, action: Halt["action"], cohort: string | undefined): boolean {
    if (action === "reduce") return false;
    return haltsOf(this.#parts.rollout(), name, flag.release).some(
      (halt) => halt.cohort === cohort && (halt.action === action || halt.action === "rollback"),
    );
  }
}

function uncounted(name: string, { release }: Flag): string {
  return `${name}|${release}`;
}

function keyOf({ key, cohort }: { key: string; cohort?: string | undefined }): string {
  return cohort === undefined ? key : `${key} ${cohort}`;
}
