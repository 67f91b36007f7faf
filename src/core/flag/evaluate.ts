/** The decision: blue or green for one visitor of one flag. It knows nothing of requests. */
import type { Placement, Variant } from "../analysis/tally.ts";
import { bucketOf } from "../hashing/bucket.ts";
import { FULL_SHARE } from "./percentage.ts";
import type { CompiledFlag } from "./table.ts";

/** Cohort of everyone who is a member of none. */
export const DEFAULT_COHORT = "ga";

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
 * Decides by precedence: kill, global switch and halt; the states that send everyone one way; members of a cohort;
 * the share of green. Green is `bucket < share`, both integers: strictly below, never a binary fraction.
 * A flag that is `on` with a share below 100 % is one whose raise is not published yet: it splits.
 */
export function decide(flag: CompiledFlag, id: Identity): Decision {
  const bucket = bucketOf(flag.seed, id.key);
  const { state } = flag.spec;
  if (flag.stop !== undefined || state === "off" || state === "kill")
    return answer(flag, id, bucket, "blue", "DISABLED");
  if (state === "shadow") return answer(flag, id, bucket, "blue", "DEFAULT");
  if (state === "on" && flag.share >= FULL_SHARE) return answer(flag, id, bucket, "green", "DEFAULT");
  const cohort = id.trusted ? flag.members.get(id.key) : undefined;
  if (cohort !== undefined) {
    return {
      variant: "green",
      reason: flag.stale ? "STALE" : "TARGETING_MATCH",
      cohort,
      placement: "match",
      bucket,
    };
  }
  return answer(flag, id, bucket, bucket < flag.share ? "green" : "blue", "SPLIT");
}

/** The answer to someone who is in no cohort. A stop or a state off is certain; all else a stale spec only guesses. */
function answer(
  flag: CompiledFlag,
  id: Identity,
  bucket: number,
  variant: Variant,
  reason: Reason,
): Decision {
  const said = flag.stale && reason !== "DISABLED" ? "STALE" : reason;
  return { variant, reason: said, cohort: DEFAULT_COHORT, placement: id.placement, bucket };
}
