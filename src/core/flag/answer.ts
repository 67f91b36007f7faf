/** The answer about one flag to who asks by the API or the command line: the decision of the request path, explained. */
import { BUCKETS } from "../hashing/bucket.ts";
import { type Decision, decide, type Reason } from "./evaluate.ts";
import { Explainer } from "./explain.ts";
import { type Attributes, type Person, shareFor } from "./members.ts";
import { SHARE_PER_PERCENT } from "./percentage.ts";
import { isName, UNVERSIONED, type Value } from "./schema.ts";
import type { CompiledFlag, Table } from "./table.ts";
import { variantsOf } from "./variants.ts";

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
  /** Percent below which buckets are on green or on: of everyone, or where that is more of a cohort that is for them. */
  threshold: number;
  release: string | null;
  /** The flag that it depends on and that is off. */
  dependency: string | null;
  steps: Step[];
}

/**
 * Answers for one flag of the table, by the decision that requests get, at `now` (milliseconds since the epoch). Key and
 * attributes are taken as vouched for.
 */
export function evaluateFlag(
  table: Table,
  name: string,
  context: EvaluationContext,
  now: number,
): Evaluation {
  const flag = table.flags.get(name);
  return flag ? evaluated(flag, context, attributesOf(context), now) : notFound(name);
}

/** Answers for all flags of the table, by name. */
export function evaluateAll(table: Table, context: EvaluationContext, now: number): Evaluation[] {
  const attributes = attributesOf(context);
  return [...table.flags.values()].map((flag) => evaluated(flag, context, attributes, now));
}

/**
 * Bucket of a decimal fraction from 0 to below 1, as text: `0.29` is 29,000. It goes by the digits, never by a binary
 * fraction; digits behind the fifth are cut off.
 * @throws RangeError for any other text.
 */
export function bucketFrom(text: string): number {
  const digits = /^(?:0|0?\.(\d+))$/.exec(text.trim());
  if (digits) return Number((digits[1] ?? "").slice(0, BUCKET_DIGITS).padEnd(BUCKET_DIGITS, "0"));
  // As JavaScript writes numbers below a millionth.
  if (/^\d(\.\d+)?e-([7-9]|\d{2,})$/i.test(text.trim())) return 0;
  throw new RangeError("a bucket is a decimal fraction from 0 to below 1, such as 0.27");
}

const BUCKET_DIGITS = String(BUCKETS).length - 1;

function attributesOf({ attributes }: EvaluationContext): Attributes {
  return new Map(Object.entries(attributes));
}

function evaluated(
  flag: CompiledFlag,
  { targetingKey, bucket }: EvaluationContext,
  attributes: Attributes,
  now: number,
): Evaluation {
  const explainer = new Explainer();
  const id = { key: targetingKey, placement: "hash" as const, trusted: true, attributes };
  const decision = decide(flag, id, now, explainer, bucket);
  const { name, spec } = flag;
  const { variant, value } = answerOf(flag, decision);
  const isVersioned = spec.route !== undefined || spec.release !== UNVERSIONED;
  const steps = explainer.steps();
  if (decision.reason === "STALE") steps.push({ step: "default", decided: false, sentence: STALE });
  return {
    flag: name,
    variant,
    value,
    enabled: decision.variant === "green",
    reason: decision.reason,
    cohort: decision.cohort,
    bucket: decision.bucket,
    threshold: thresholdFor(flag, id) / SHARE_PER_PERCENT,
    release: isVersioned ? spec.release : null,
    dependency: decision.dependency ?? null,
    steps,
  };
}

/** Thousandths of a percent below which buckets are on green; where an edit waits by both forms. */
function thresholdFor({ share, stop, layers }: CompiledFlag, id: Person): number {
  if (stop !== undefined || layers.length === 0) return share;
  return Math.min(
    ...layers.map((layer) => Math.max(layer.share, ...layer.audiences.map((one) => shareFor(one, id)))),
  );
}

const STALE =
  "Nothing that was published is known: this goes by the document alone, with every canary at 0 %";

/** The variant by its name, and what it is worth. */
function answerOf({ spec }: CompiledFlag, decision: Decision): { variant: string; value: Value } {
  if (spec.route !== undefined) return { variant: decision.variant, value: decision.variant };
  const variants = variantsOf(spec);
  const usual = decision.variant === "green" ? spec.onVariant : spec.offVariant;
  const variant = decision.own !== undefined && Object.hasOwn(variants, decision.own) ? decision.own : usual;
  return { variant, value: Object.hasOwn(variants, variant) ? variants[variant]! : null };
}

function notFound(name: string): Evaluation {
  const sentence = `FLAG_NOT_FOUND: there is no flag ${isName(name) ? name : "of that name"}`;
  return {
    flag: name,
    variant: null,
    value: null,
    enabled: false,
    reason: "ERROR",
    cohort: null,
    bucket: null,
    threshold: 0,
    release: null,
    dependency: null,
    steps: [{ step: "default", decided: true, sentence }],
  };
}
