/** What was measured of a condition, whoever measured it and whatever it means for green. */

/**
 * `few`: too little data to say; `unmeasured`: no data is kept of it; `past`: the release is older than what is looked
 * at (`within`).
 */
export interface Measure {
  state: "met" | "unmet" | "few" | "unmeasured" | "past";
  /** What was measured, over what. */
  measured: string;
  /** How the limit reads; empty where there is none to compare with. */
  limit: string;
  /** The numbers behind it. */
  figures: Record<string, number>;
}

/** A measure of which nothing can be said. */
export function unsaid(
  state: "few" | "unmeasured" | "past",
  measured: string,
  figures: Record<string, number> = {},
): Measure {
  return { state, measured, limit: "", figures };
}
