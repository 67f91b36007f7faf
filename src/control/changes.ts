/** What people and the outbox change: commands, the kill key, results of checks. Each in one transaction of the decisions. */
import { appendNotes } from "../core/flag/notes.ts";
import { isKilled } from "../core/rollout/kill.ts";
import type { Command } from "../core/rollout/progress.ts";
import type { Observation } from "../core/wire/outbox.ts";
import type { By } from "./by.ts";
import type { CommandRequest, CommandResult, Resume } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { ownKeyOf } from "./effects.ts";
import { undeliveredMessage } from "./messages.ts";
import { haltsOf, isGreenServed } from "./rollout.ts";
import { rolloutView } from "./rollout-view.ts";
import { servedOf, tellServed } from "./served.ts";
import { switchedOff } from "./switched-off.ts";
import type { Ingest, IngestResult } from "./telemetry-api.ts";

/** Failed health checks in a row after which somebody is told: one or two are a blip. */
const UNHEALTHY_AFTER = 3;

/** Commands that bring more of green. */
const RAISING: readonly Command["name"][] = ["start", "restart", "advance", "promote", "instant"];

export class Changes {
  readonly #decisions: Decisions;

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  /** Obeys a command to a flag's rollout. */
  command({ flag: name, command, who, how, reason }: CommandRequest, now: number): CommandResult {
    const { rollout, rollouts, watch } = this.#decisions;
    const flag = rollout.flags.get(name);
    if (!flag) return { ok: false, reason: "unknown-flag", sentence: `The spec has no flag ${name}` };
    const off = RAISING.includes(command.name) ? switchedOff(rollout, name) : undefined;
    // Nobody would get green, and all who are told would believe it.
    if (off) return { ok: false, reason: "flag-stopped", sentence: `${off.why}; it needs ${off.lift}` };
    let result: CommandResult | undefined;
    this.#decisions.durably(() => {
      const { look } = watch.look(name, flag, now);
      const done = rollouts.act(name, { type: "command", command, who, reason, look }, now, { who, how });
      if (!done.ok) {
        result = done;
        return;
      }
      if (!done.effects.some(({ type }) => type === "audit"))
        rollouts.record(name, command.name, reason, now, { who, how });
      // What still speaks against green, an alert that fires, does so before anybody is on it.
      watch.judge([name], now);
      if (isGreenServed(rollout, name)) this.#decisions.rollbacks.over(name);
    });
    result ??= { ok: true, revision: rollout.revision, rollout: rolloutView(this.#decisions, name, now)! };
    return result;
  }

  /**
   * Lifts what sticks to a release, or what a dry run has noted of it; by default of the one that the spec names. Only
   * what starts from now on counts.
   */
  resume({ flag, release, who, how, reason }: Resume, now: number): boolean {
    const { rollout, rollouts, comparisons } = this.#decisions;
    const present = rollout.flags.get(flag)?.release;
    const named = release ?? present;
    if (named === undefined) return false;
    const rows = haltsOf(rollout, flag, named);
    const noted = named === present ? comparisons.of(flag)?.wouldHalt[0] : undefined;
    if (named === present) {
      const done = this.command({ flag, command: { name: "resume" }, who, how, reason }, now);
      if (done.ok) return true;
    }
    const halt = rows[0] ?? noted;
    if (!halt) return false;
    this.#decisions.durably(() => {
      rollouts.lift(flag, named);
      if (named === present) this.#decisions.restartRules(flag, now);
      const figures = { haltedAt: halt.at, rule: halt.rule };
      rollouts.record(flag, "resume", reason, now, { who, how }, { release: named, figures });
    });
    return true;
  }

  /** Notes the text of the kill key; true when it has changed, and isolates without KV must hear of it. */
  sawKill(kill: string, now: number): boolean {
    const { rollout, rollouts, store } = this.#decisions;
    if (!this.#decisions.known || rollout.revision === 0 || kill === rollout.kill) return false;
    return this.#decisions.durably(() => {
      const served = servedOf(rollout);
      const before = rollout.kill;
      rollout.kill = kill;
      rollout.revision++;
      const by: By = { who: "kv", how: "kv" };
      const recorded = new Set<string>();
      for (const name of rollout.flags.keys()) {
        if (isKilled(kill, name) === isKilled(before, name)) continue;
        const killed = isKilled(kill, name);
        const sentence = killed
          ? "The kill key names the flag: everybody is on blue until it no longer does"
          : "The kill key no longer names the flag";
        if (killed) rollouts.say(name, "kill", "kill", sentence, now, {}, by);
        else rollouts.record(name, "unkill", sentence, now, by);
        recorded.add(name);
      }
      tellServed(this.#decisions, served, now, by, recorded);
      store.saveHead(rollout);
    });
  }

  /** Takes what an origin pushes, and judges the flags that it is about. */
  ingest(push: Ingest, now: number): { result: IngestResult; changed: boolean } {
    let result: IngestResult | undefined;
    const changed = this.#decisions.durably(() => {
      result = this.#decisions.telemetry.ingest(push, now);
      const { rollout, watch } = this.#decisions;
      watch.judge(flagsOf(push) ?? rollout.flags.keys(), now);
    });
    return { result: result!, changed };
  }

  /** Takes what the outbox has found, each once and in order; answers with the last that is stored. */
  observe(observations: readonly Observation[], now: number): { have: number; changed: boolean } {
    const { store, telemetry } = this.#decisions;
    let have = store.observed();
    const changed = this.#decisions.durably(() => {
      for (const observation of observations) {
        if (observation.seq <= have) continue;
        have = observation.seq;
        const failed = this.#failedChecks(observation, now);
        telemetry.observe(observation, now);
        if (observation.type === "health") this.#checked(observation, failed, now);
        else this.#observed(observation, now);
      }
      store.saveObserved(have);
      telemetry.saveSignals(now);
    });
    return { have, changed };
  }

  /** Writes waiting lines into the notes of the document's text; undefined when there is nothing to write now. */
  notes(now: number): { text: string; done: () => void } | undefined {
    const { notes, rollout, store } = this.#decisions;
    if (!notes.waiting) return undefined;
    const due = notes.due(rollout.edits, now);
    const text = store.text();
    if (due.length === 0 || text === undefined) return undefined;
    return { text: appendNotes(text, due), done: () => this.#decisions.durably(() => notes.done(due)) };
  }

  /** Tells of an origin that fails its checks for a while, and when it passes them again. */
  #checked(
    { flag, variant, passed, sentence }: Extract<Observation, { type: "health" }>,
    before: number,
    now: number,
  ): void {
    const { rollout, rollouts } = this.#decisions;
    if (!rollout.flags.has(flag)) return;
    const failed = passed ? 0 : before + 1;
    if (failed === UNHEALTHY_AFTER) {
      const said = `${variant} has failed ${failed} health checks in a row: ${sentence}`;
      rollouts.say(flag, "health", "unhealthy", said, now, { failed });
    }
    if (passed && before >= UNHEALTHY_AFTER)
      rollouts.say(flag, "health", "healthy", `${variant} passes its health checks again`, now, {
        failed: before,
      });
  }

  /** Health checks of the origin that an observation is about that failed in a row until now. */
  #failedChecks(observation: Observation, now: number): number {
    if (observation.type !== "health" || !this.#decisions.rollout.flags.has(observation.flag)) return 0;
    return this.#decisions.telemetryOf(observation.flag, now).health(observation.variant)?.failedInARow ?? 0;
  }

  #observed(observation: Exclude<Observation, { type: "health" }>, now: number): void {
    const { rollout, rollouts } = this.#decisions;
    switch (observation.type) {
      case "validated": {
        const { flag, key, passed, sentence } = observation;
        if (!rollout.flags.has(flag)) return;
        rollouts.act(flag, { type: "validated", key: ownKeyOf(key), passed, sentence }, now);
        return;
      }
      case "undelivered":
        this.#decisions.outgoing.message(undeliveredMessage(observation));
        return;
      case "gauge":
      case "gauge-failed":
        return;
      default:
        observation satisfies never;
    }
  }
}

/** Flags that something pushed is about; undefined for all. */
function flagsOf(push: Ingest): Set<string> | undefined {
  const about: { flag?: string }[] =
    push.kind === "events" ? push.events : push.kind === "gauges" ? push.gauges : push.alerts;
  const flags = about.map(({ flag }) => flag);
  return flags.includes(undefined) ? undefined : new Set(flags as string[]);
}
