/** Who is told how a decision is made, while it is made. */
import type { Layer } from "../rollout/layer.ts";
import type { Decision } from "./evaluate.ts";
import type { Admission, Audience } from "./members.ts";
import type { Elsewhere, Own } from "./provisos.ts";
import type { CompiledFlag } from "./table.ts";

/** Is told each step that leads to a decision, in the order in which they are taken. Never on the way of a request. */
export interface Listener {
  stopped(flag: CompiledFlag): void;
  forced(to: "on" | "off"): void;
  /** A form of the flag is asked; the first is the published one, those after it are edits that wait. */
  layer(index: number): void;
  /** The form that was asked last says blue, so this is the answer. */
  lowered(): void;
  /** The override of user or tenant; undefined: neither has one that applies. */
  override(own: Own | undefined, whose: "user" | "tenant"): void;
  elsewhere(elsewhere: Elsewhere): void;
  state(layer: Layer, decided: boolean): void;
  /** Listens to a flag that this one depends on. */
  within(dependency: string): Listener;
  dependency(name: string, isThere: boolean, isOn: boolean): void;
  /** All that it depends on is on, and so is it. */
  everyone(): void;
  /** An override puts nobody on green whose cohort is stopped. */
  overrideStopped(cohort: string): void;
  cohort(audience: Audience, admission: Admission | undefined, bucket: number): void;
  percentage(decision: Decision, layer: Layer): void;
}
