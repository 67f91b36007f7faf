/** The steps that led to a decision, in sentences. No sentence names a person or a tenant. */

import type { Layer } from "../rollout/layer.ts";
import type { Step } from "./answer.ts";
import type { Decision } from "./evaluate.ts";
import type { Listener } from "./listener.ts";
import type { Admission, Audience } from "./members.ts";
import { FULL_SHARE, SHARE_PER_PERCENT } from "./percentage.ts";
import type { Elsewhere, Own } from "./provisos.ts";
import type { State } from "./schema.ts";
import type { CompiledFlag } from "./table.ts";

const STATES: Record<State, string> = {
  off: "Its state is off",
  shadow: "Its state is shadow: nobody is on green, which gets copies only",
  canary: "Its state is canary: cohorts and percentage decide",
  on: "Its state is on",
  kill: "Its state is kill",
};

const EDIT = "By the text in KV, which is not published: ";

/** Writes the steps of one decision down. */
export class Explainer implements Listener {
  readonly #steps: Step[] = [];
  readonly #inner = new Map<string, Explainer>();
  /** Steps before this one are of the forms asked before. */
  #mark = 0;
  #isEdit = false;

  /** The steps, once the decision is made. */
  steps(): Step[] {
    this.#settle();
    return this.#steps;
  }

  stopped({ stop, cause = "", spec }: CompiledFlag): void {
    const why = upper(cause);
    this.#add("kill", stop === "kill", stop === "kill" ? why : "Neither the kill key nor a command kills it");
    if (stop === "kill") return;
    this.#add("switch", stop === "switch", stop === "switch" ? why : "No switch keeps it from being on");
    if (stop === "switch") return;
    const none = spec.route ? `No halt keeps release ${spec.release} from green` : "No halt keeps it off";
    this.#add("halt", stop === "halt", stop === "halt" ? why : none);
  }

  forced(to: "on" | "off"): void {
    this.#add("override", true, `A variable of the Worker turns it ${to} for everyone`);
  }

  layer(index: number): void {
    this.#settle();
    this.#mark = this.#steps.length;
    this.#isEdit = index > 0;
  }

  lowered(): void {
    for (const step of this.#steps.slice(0, this.#mark)) step.decided = false;
    this.#mark = this.#steps.length;
  }

  override(own: Own | undefined, whose: "user" | "tenant"): void {
    if (own === undefined) this.#add("override", false, "No override of user or tenant applies");
    else this.#add("override", true, overrideWords(own, whose));
  }

  overrideStopped(cohort: string): void {
    this.#undecide();
    this.#add("halt", true, `Cohort ${cohort} is halted or switched off, which no override lifts`);
  }

  elsewhere({ here, environments }: Elsewhere): void {
    const where = `It counts in ${listed(environments)} only`;
    const why = here === undefined ? "the variable ENVIRONMENT is not set" : `this is ${here}`;
    this.#add("environment", true, `${where}, and ${why}: off`);
  }

  state({ state, share, isWhole }: Layer, decided: boolean): void {
    const reduced = `, but for ${percentWords(share)} only: it was reduced, or its raise is not published yet`;
    this.#add("state", decided, state === "on" && !isWhole ? STATES.on + reduced : STATES[state]);
  }

  within(dependency: string): Listener {
    const inner = new Explainer();
    this.#inner.set(dependency, inner);
    return inner;
  }

  dependency(name: string, isThere: boolean, isOn: boolean): void {
    const step = this.#inner
      .get(name)
      ?.steps()
      .find(({ decided }) => decided);
    const why = step ? `: ${lower(step.sentence)}` : "";
    const words = isOn ? "which is on" : isThere ? `which is off${why}` : "and there is no such flag: off";
    this.#add("dependencies", !isOn, `It depends on ${name}, ${words}`);
  }

  everyone(): void {
    this.#add("default", true, "All that it depends on is on, and so it is on for everyone");
  }

  cohort(audience: Audience, admission: Admission | undefined, bucket: number): void {
    const { cohort, share, cap, stopped } = audience;
    const how =
      admission === undefined
        ? `Cohort ${cohort} does not admit them`
        : admission === "member"
          ? `Cohort ${cohort} has them as a member`
          : `Cohort ${cohort} admits them: ${bucketWords(bucket, share)} of those whom it may admit`;
    const but =
      admission === undefined
        ? ""
        : stopped
          ? ", but it is halted or switched off"
          : admission === "hash" && bucket >= cap
            ? `, but a halt keeps it at ${percentWords(cap)}`
            : "";
    this.#add("cohort", admission !== undefined, how + but);
  }

  percentage({ variant, reason, cohort, bucket }: Decision, { share, bands }: Layer): void {
    const words = upper(`${bucketWords(bucket, share)} of visitors`);
    const isLeftOut = variant === "blue" && bucket < share;
    const cap = Math.min(
      FULL_SHARE,
      ...bands.filter((band) => band.cohort === cohort).map((band) => band.cap),
    );
    const but = !isLeftOut
      ? ""
      : reason === "DISABLED"
        ? `, but cohort ${cohort} is halted or switched off`
        : `, but a halt keeps cohort ${cohort} at ${percentWords(cap)}`;
    this.#add("percentage", true, words + but);
  }

  #add(step: Step["step"], decided: boolean, sentence: string): void {
    this.#steps.push({ step, decided, sentence: this.#isEdit ? EDIT + lower(sentence) : sentence });
  }

  #undecide(): void {
    for (const step of this.#steps) step.decided = false;
  }

  /** An edit that says the same as what is published is not worth telling. */
  #settle(): void {
    if (this.#isEdit) this.#steps.length = this.#mark;
    this.#isEdit = false;
  }
}

function overrideWords({ isOn, variant, until }: Own, whose: string): string {
  const time = Number.isFinite(until) ? ` until ${minuteOf(until)}` : "";
  const answer = variant === undefined ? "" : `, variant ${variant}`;
  return `Override of the ${whose}${time}: ${isOn ? "on" : "off"}${answer}`;
}

/** A time to the minute, or to the second where it has seconds. */
function minuteOf(at: number): string {
  return new Date(at).toISOString().replace(/(:00)?\.\d{3}Z$/, "Z");
}

function bucketWords(bucket: number, share: number): string {
  const is = bucket < share ? "is below" : "is not below";
  return `bucket ${grouped(bucket)} ${is} ${grouped(share)}: ${percentWords(share)}`;
}

function percentWords(share: number): string {
  return `${share / SHARE_PER_PERCENT} %`;
}

function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
