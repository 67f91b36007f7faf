/** The answer about one flag to who asks by the API or the command line: the decision of the request path, explained. */
import type { Reason } from "./evaluate.ts";
import type { Value } from "./schema.ts";

/** Who asks, and with what. */
export interface EvaluationContext {
  targetingKey: string;
  /** Vouched for by the caller: they match cohorts and overrides. */
  attributes: Readonly<Record<string, readonly string[]>>;
  /** 0..99,999 in the place of the key's own, to try a rollout out; undefined: the key's. */
  bucket: number | undefined;
}

/** One step that led to the answer, in the order in which they are taken. */
export interface Step {
  step:
    | "kill"
    | "switch"
    | "halt"
    | "environment"
    | "override"
    | "state"
    | "dependencies"
    | "cohort"
    | "percentage"
    | "default";
  /** The answer follows from this step; nothing after it was looked at. */
  decided: boolean;
  sentence: string;
}

/** What is answered, and why. */
export interface Evaluation {
  flag: string;
  /** `blue` or `green` of a routed flag, the name of a plain flag's variant; null for a flag that is not there. */
  variant: string | null;
  /** Value of the variant; of a routed flag its name. */
  value: Value;
  enabled: boolean;
  reason: Reason;
  /** Null where it does not exist. */
  cohort: string | null;
  /** Bucket of the visitor, 0..99,999. */
  bucket: number | null;
  /** Percent of visitors on green or on, as served. */
  threshold: number;
  release: string | null;
  /** The flag that it depends on and that is off. */
  dependency: string | null;
  steps: Step[];
}
