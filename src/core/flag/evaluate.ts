/** The decision: blue or green for one visitor of one flag. It knows nothing of requests. */
import type { Placement, Variant } from "../analysis/tally.ts";
import { bucketOf } from "../hashing/bucket.ts";
import type { Layer } from "../rollout/layer.ts";
import type { Listener } from "./listener.ts";
import { type Attributes, admissionTo, DEFAULT_COHORT, isInSegments, TENANT } from "./members.ts";
import { ownAt, type Provisos } from "./provisos.ts";
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
  /** Variant of a plain flag that an override names. */
  own?: string;
  /** The flag that it depends on and that is off. */
  dependency?: string;
}

/** Flags that were asked already on behalf of one that depends on them, and whether they are on. */
type Asked = Map<CompiledFlag, Decision | undefined>;

/**
 * Decides by precedence: kill, global switch and halt; the override of the user, that of the tenant; environment; the
 * states that send everyone one way; dependencies; the first cohort that admits the visitor; the share of green. Green
 * is `bucket < share`, both integers: strictly below, never a binary fraction. While an edit waits to be published the
 * published form and the edit both have to say green.
 *
 * `now` (milliseconds since the epoch) is looked at where a flag has overrides. A `bucket` stands in for that of the
 * key, in this flag alone.
 */
export function decide(
  flag: CompiledFlag,
  id: Identity,
  now: number,
  listener?: Listener,
  bucket: number = bucketOf(flag.seed, id.key),
): Decision {
  return decideAmong(flag, id, bucket, now, listener, undefined);
}

function decideAmong(
  flag: CompiledFlag,
  id: Identity,
  bucket: number,
  now: number,
  listener: Listener | undefined,
  asked: Asked | undefined,
): Decision {
  listener?.stopped(flag);
  if (flag.stop !== undefined) return answer(id, bucket, "blue", "DISABLED");
  if (flag.forced !== undefined) return forcedTo(flag.forced, flag, id, bucket, listener);
  const { layers } = flag;
  // Of two forms, what one has asked of other flags need not be asked again for the other.
  const among = asked ?? (flag.needs.size > 0 ? new Map([[flag, undefined]]) : undefined);
  let decision = decideIn(flag, layers[0]!, id, bucket, now, listener, among, 0);
  for (let i = 1; i < layers.length && decision.variant === "green"; i++) {
    const other = decideIn(flag, layers[i]!, id, bucket, now, listener, among, i);
    if (other.variant === "green") continue;
    listener?.lowered();
    decision = other;
  }
  // A stop or a state off is certain; all else a stale spec only guesses.
  if (flag.stale && decision.reason !== "DISABLED") decision.reason = "STALE";
  return decision;
}

/** A flag that is `on` but not for everyone has been reduced, or its raise is not published yet: it splits. */
function decideIn(
  flag: CompiledFlag,
  layer: Layer,
  id: Identity,
  bucket: number,
  now: number,
  listener: Listener | undefined,
  asked: Asked | undefined,
  index: number,
): Decision {
  listener?.layer(index);
  const { provisos } = layer;
  if (provisos !== undefined) {
    const overridden = overrideIn(layer, provisos, id, bucket, now, listener);
    if (overridden !== undefined) return overridden;
    if (provisos.elsewhere !== undefined) {
      listener?.elsewhere(provisos.elsewhere);
      return answer(id, bucket, "blue", "DISABLED");
    }
  }
  const isSplit = layer.state === "canary" || (layer.state === "on" && !layer.isWhole);
  const hasNeeds = provisos !== undefined && provisos.dependencies.length > 0;
  listener?.state(layer, !isSplit && !(hasNeeds && layer.state === "on"));
  switch (layer.state) {
    case "off":
    case "kill":
      return answer(id, bucket, "blue", "DISABLED");
    case "shadow":
      return answer(id, bucket, "blue", "DEFAULT");
  }
  if (hasNeeds) {
    const missing = missingIn(flag, provisos.dependencies, id, now, listener, asked!);
    // Whom another flag keeps away is no sample of those whom this one splits.
    if (missing !== undefined)
      return { ...answer(id, bucket, "blue", "DISABLED"), placement: "match", dependency: missing };
  }
  if (!isSplit) {
    if (hasNeeds) listener?.everyone();
    return answer(id, bucket, "green", "DEFAULT");
  }
  return splitIn(layer, id, bucket, listener);
}

/** By the first cohort that admits the visitor, else by the share of green. */
function splitIn(layer: Layer, id: Identity, bucket: number, listener: Listener | undefined): Decision {
  let placement: Placement = id.placement;
  for (const audience of layer.audiences) {
    // Half of the staff is no sample of everyone: those whom a segment singles out stay out of comparisons, on both
    // sides.
    if (isInSegments(audience, id)) placement = "match";
    const admission = admissionTo(audience, id, bucket);
    listener?.cohort(audience, admission, bucket);
    if (admission === undefined) continue;
    const { cohort } = audience;
    if (admission === "member") placement = "match";
    if (audience.stopped) return { variant: "blue", reason: "DISABLED", cohort, placement, bucket };
    if (admission === "member")
      return { variant: "green", reason: "TARGETING_MATCH", cohort, placement, bucket };
    return { variant: bucket < audience.cap ? "green" : "blue", reason: "SPLIT", cohort, placement, bucket };
  }
  const decision = shareIn(layer, placement, bucket);
  listener?.percentage(decision, layer);
  return decision;
}

function shareIn({ share, bands }: Layer, placement: Placement, bucket: number): Decision {
  if (bucket >= share) return { variant: "blue", reason: "SPLIT", cohort: DEFAULT_COHORT, placement, bucket };
  let band = bands[0]!;
  for (let i = 1; bucket >= band.share; i++) band = bands[i]!;
  const { cohort } = band;
  if (band.stopped) return { variant: "blue", reason: "DISABLED", cohort, placement, bucket };
  return { variant: bucket < band.cap ? "green" : "blue", reason: "SPLIT", cohort, placement, bucket };
}

/**
 * By the override of the user, or else of the tenant. It puts nobody on green whose cohort is halted or switched off,
 * and nobody on the green of a flag whose state is kill.
 */
function overrideIn(
  layer: Layer,
  provisos: Provisos,
  id: Identity,
  bucket: number,
  now: number,
  listener: Listener | undefined,
): Decision | undefined {
  if (layer.state === "kill") return undefined;
  const ofUser = id.trusted ? ownAt(provisos.users, [id.key], now) : undefined;
  const own = ofUser ?? ownAt(provisos.tenants, id.attributes?.get(TENANT), now);
  if (provisos.users.size + provisos.tenants.size > 0)
    listener?.override(own, ofUser === undefined ? "tenant" : "user");
  if (own === undefined) return undefined;
  const { cohort, stopped } = cohortIn(layer, id, bucket);
  if (own.isOn && stopped) {
    listener?.overrideStopped(cohort);
    return { variant: "blue", reason: "DISABLED", cohort, placement: "match", bucket };
  }
  const variant = own.isOn ? "green" : "blue";
  const decision: Decision = { variant, reason: "TARGETING_MATCH", cohort, placement: "match", bucket };
  if (own.variant !== undefined) decision.own = own.variant;
  return decision;
}

/** The cohort that the visitor would be in without an override. */
function cohortIn(
  { audiences, share, bands }: Layer,
  id: Identity,
  bucket: number,
): { cohort: string; stopped: boolean } {
  const audience = audiences.find((one) => admissionTo(one, id, bucket) !== undefined);
  if (audience) return audience;
  const everyone = bands.at(-1)!;
  return bucket < share ? (bands.find((band) => bucket < band.share) ?? everyone) : everyone;
}

/** The first of the flags that are needed which is off for this visitor; a flag that is not there is off. */
function missingIn(
  flag: CompiledFlag,
  dependencies: readonly string[],
  id: Identity,
  now: number,
  listener: Listener | undefined,
  asked: Asked,
): string | undefined {
  for (const name of dependencies) {
    const need = flag.needs.get(name);
    let isOn = false;
    if (need !== undefined) {
      if (!asked.has(need)) {
        // Off until it has answered: forms of two documents may go round in a circle, which no one document may.
        asked.set(need, undefined);
        const inner = listener?.within(name);
        asked.set(need, decideAmong(need, id, bucketOf(need.seed, id.key), now, inner, asked));
      }
      isOn = asked.get(need)?.variant === "green";
    }
    listener?.dependency(name, need !== undefined, isOn);
    if (!isOn) return name;
  }
  return undefined;
}

/**
 * What a variable says, everybody is told: they are no sample of anything. Like an override it puts nobody on green
 * whose cohort is halted or switched off.
 */
function forcedTo(
  to: "on" | "off",
  { layers }: CompiledFlag,
  id: Identity,
  bucket: number,
  listener: Listener | undefined,
): Decision {
  listener?.forced(to);
  const decision = answer(id, bucket, to === "on" ? "green" : "blue", "TARGETING_MATCH");
  decision.placement = "match";
  if (to === "off") return decision;
  for (const layer of layers) {
    const { cohort, stopped } = cohortIn(layer, id, bucket);
    if (!stopped) continue;
    Object.assign(decision, { variant: "blue", reason: "DISABLED", cohort });
    listener?.overrideStopped(cohort);
    break;
  }
  return decision;
}

/** The answer to everyone alike. */
function answer(id: Identity, bucket: number, variant: Variant, reason: Reason): Decision {
  return { variant, reason, cohort: DEFAULT_COHORT, placement: id.placement, bucket };
}
