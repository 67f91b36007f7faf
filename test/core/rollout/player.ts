/** A rollout played by hand: events at times of the test's choice, and what followed from each. */

import type { Finding } from "../../../src/core/analysis/rules.ts";
import { type Plan, type PlanInput, plan } from "../../../src/core/flag/plan.ts";
import type {
  Action,
  Command,
  Effect,
  Look,
  Progress,
  RolloutEvent,
  SpecOf,
  Transition,
} from "../../../src/core/rollout/progress.ts";
import { newProgress, transition } from "../../../src/core/rollout/transition.ts";

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A plan of bare percentages. */
export const steps = (...percentages: number[]): Plan =>
  plan.parse({ stages: percentages.map((percentage) => ({ percentage })) });
export const planOf = (input: PlanInput): Plan => plan.parse(input);

export const finding = (verdict: Finding["verdict"], sentence: string = verdict): Finding => ({
  rule: "r",
  verdict,
  sentence,
  figures: {},
});

export const looked = (more: Partial<Look> = {}): Look => ({
  verdict: "healthy",
  sentence: more.verdict ?? "healthy",
  requests: 1_000_000,
  exit: [],
  entry: [],
  ...more,
});

export class Player {
  now = 1_000_000;
  progress: Progress = newProgress();
  /** What followed from the last event. */
  effects: Effect[] = [];
  last: Transition | undefined;
  spec: SpecOf = { state: "canary", release: "2.1.0", asked: 0, plan: undefined, blueCapacity: undefined };

  play(event: RolloutEvent): Transition {
    const result = transition(this.progress, event, this.now);
    this.last = result;
    this.effects = result.ok ? result.effects : [];
    if (result.ok) this.progress = result.progress;
    return result;
  }
  /** The spec with these changes. `asked` in percent. */
  adopt(more: Partial<Omit<SpecOf, "asked">> & { percentage?: number } = {}): this {
    const { percentage, ...rest } = more;
    const asked = percentage === undefined ? this.spec.asked : Math.round(percentage * 1000);
    this.spec = { ...this.spec, ...rest, asked };
    this.play({ type: "spec", spec: this.spec });
    return this;
  }
  /** A look `ms` later. */
  look(ms: number, more: Partial<Look> = {}, stopped = false): this {
    this.now += ms;
    this.play({ type: "look", look: looked(more), stopped });
    return this;
  }
  /** Looks once a minute for so long. */
  pass(ms: number, more: Partial<Look> = {}): this {
    const end = this.now + ms;
    while (this.now < end) this.look(Math.min(MINUTE, end - this.now), more);
    return this;
  }
  order(command: Command | Command["name"], look?: Partial<Look>, who = "ada"): Transition {
    const full = typeof command === "string" ? ({ name: command } as Command) : command;
    return this.play({
      type: "command",
      command: full,
      who,
      reason: "because",
      look: look && looked(look),
    });
  }
  rule(action: Exclude<Action, "kill">, cohort?: string): this {
    this.play({ type: "rule", action, rule: "error_rate > 0.05", sentence: "Green fails 9 %", cohort });
    return this;
  }
  validated(passed: boolean, key = this.progress.validationKey ?? ""): this {
    this.play({ type: "validated", key, passed, sentence: passed ? "all passed" : "GET / answered 500" });
    return this;
  }
  /** Share of green in percent. */
  get percent(): number {
    return this.progress.share / 1000;
  }
  get phase(): string {
    return this.progress.phase;
  }
  told(): string[] {
    return this.effects.flatMap((e) => (e.type === "tell" ? [e.topic] : []));
  }
  sentences(topic: string): string[] {
    return this.effects.flatMap((e) => (e.type === "tell" && e.topic === topic ? [e.sentence] : []));
  }
  /** Phase, percentage and stage, in short. */
  get at(): string {
    return `${this.phase} ${this.percent} #${this.progress.stage}`;
  }
}

/** A rollout by this plan, just begun. */
export function begun(p: Plan, more: Partial<SpecOf> = {}): Player {
  const player = new Player();
  player.spec = { ...player.spec, plan: p, ...more };
  return player.adopt();
}

export function reasonOf(t: Transition): string {
  return t.ok ? "ok" : t.reason;
}
