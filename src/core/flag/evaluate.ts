/** The decision: blue or green for one visitor of one flag. It knows nothing of requests. */
import type { Placement, Variant } from "../analysis/tally.ts";
import { bucketOf } from "../hashing/bucket.ts";
import type { Layer } from "../rollout/layer.ts";
import { type Attributes, admissionTo, DEFAULT_COHORT, isInSegments } from "./members.ts";
import type { CompiledFlag } from "./table.ts";

export { DEFAULT_COHORT };

/** Why a variant was chosen, in OpenFeature's words. `ERROR` is for those who could not decide at all. */
export type Reason = "SPLIT" | "TARGETING_MATCH" | "DEFAULT" | "DISABLED" | "STALE" | "ERROR";

/** Who asks. */
export interface Identity {
  /** Targeting key: the id that is hashed. */
  key: string;
  /** `hash` for an id of the visitor's own, `address` for one made of address and user agent. */
  placement: "hash" | "address";
  /** May the key match lists of members? Only where somebody vouches for it. */
  trusted: boolean;
  /** What else is known of the visitor and vouched for. */
  attributes?: Attributes | undefined;
}

/** What is answered. */
export interface Decision {
  variant: Variant;
  reason: Reason;
  cohort: string;
  placement: Placement;
  /** Bucket of the visitor, 0..99,999. */
  bucket: number;
}

/**
 * Decides by precedence: kill, global switch and halt; the states that send everyone one way; the first cohort that
 * admits the visitor; the share of green. Green is `bucket < share`, both integers: strictly below, never a binary
 * fraction. While an edit waits to be published the published form and the edit both have to say green.
 */
export function decide(flag: CompiledFlag, id: Identity): Decision {
  const bucket = bucketOf(flag.seed, id.key);
  if (flag.stop !== undefined) return answer(id, bucket, "blue", "DISABLED");
  if (flag.forced !== undefined) return forcedTo(flag.forced, id, bucket);
  let decision = decideIn(flag.layers[0]!, id, bucket);
  for (let i = 1; i < flag.layers.length && decision.variant === "green"; i++) {
    const other = decideIn(flag.layers[i]!, id, bucket);
    if (other.variant === "blue") decision = other;
  }
  // A stop or a state off is certain; all else a stale spec only guesses.
  if (flag.stale && decision.reason !== "DISABLED") decision.reason = "STALE";
  return decision;
}

/** A flag that is `on` but not for everyone has been reduced, or its raise is not published yet: it splits. */
function decideIn(layer: Layer, id: Identity, bucket: number): Decision {
  switch (layer.state) {
    case "off":
    case "kill":
      return answer(id, bucket, "blue", "DISABLED");
    case "shadow":
      return answer(id, bucket, "blue", "DEFAULT");
    case "on":
      if (layer.isWhole) return answer(id, bucket, "green", "DEFAULT");
  }
  let placement: Placement = id.placement;
  for (const audience of layer.audiences) {
    // Half of the staff is no sample of everyone: those whom a segment singles out stay out of comparisons, on both
    // sides.
    if (isInSegments(audience, id)) placement = "match";
    const admission = admissionTo(audience, id, bucket);
    if (admission === undefined) continue;
    const { cohort } = audience;
    if (admission === "member") placement = "match";
    if (audience.stopped) return { variant: "blue", reason: "DISABLED", cohort, placement, bucket };
    if (admission === "member")
      return { variant: "green", reason: "TARGETING_MATCH", cohort, placement, bucket };
    return { variant: bucket < audience.cap ? "green" : "blue", reason: "SPLIT", cohort, placement, bucket };
  }
  if (bucket >= layer.share)
    return { variant: "blue", reason: "SPLIT", cohort: DEFAULT_COHORT, placement, bucket };
  const { bands } = layer;
  let band = bands[0]!;
  for (let i = 1; bucket >= band.share; i++) band = bands[i]!;
  const { cohort } = band;
  if (band.stopped) return { variant: "blue", reason: "DISABLED", cohort, placement, bucket };
  return { variant: bucket < band.cap ? "green" : "blue", reason: "SPLIT", cohort, placement, bucket };
}

/** What a variable says, everybody is told: they are no sample of anything. */
function forcedTo(to: "on" | "off", id: Identity, bucket: number): Decision {
  const variant = to === "on" ? "green" : "blue";
  return { ...answer(id, bucket, variant, "TARGETING_MATCH"), placement: "match" };
}

/** The answer to everyone alike. */
function answer(id: Identity, bucket: number, variant: Variant, reason: Reason): Decision {
  return { variant, reason, cohort: DEFAULT_COHORT, placement: id.placement, bucket };
}
