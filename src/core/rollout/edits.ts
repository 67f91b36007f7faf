/**
 * Who wrote the flag document last: the pure state machine by which the controller reconciles hand edits in KV with
 * writes through the API. KV has no compare-and-swap and is stale for a minute, so nothing here trusts one read:
 * a text with our metadata is ordered by its revision, a text without is a person's, and a text that could be an
 * old reading waits until it is sure.
 */

/** How long a place may read an old value from KV, milliseconds. Cloudflare: "up to 60 seconds or more". */
export const KV_DELAY_MS = 75_000;

/** When to read again while a read could not be told from a stale one, milliseconds. */
export const EDIT_RECHECK_MS = 5_000;

/** Texts that were the spec once, newest last; a text older than these counts as new, which is no harm. */
const KNOWN_LIMIT = 200;

/** All that has to be remembered; serialises as it is. */
export interface EditState {
  /** Hash of the text that is the spec now; empty before the first. */
  current: string;
  /** When it became so, milliseconds since the epoch. */
  changedAt: number;
  /** Has a read of our own shown it in KV since? Then anything else that a read shows is newer. */
  seen: boolean;
  /** Written through the API and not yet in KV: whatever old text is there has to give way. */
  unput: boolean;
  /** Our own last put: its revision (0 for none), what it was, and when. */
  put: { revision: number; hash: string; at: number };
  /** Hashes of texts that were the spec, the current one included. */
  known: string[];
}

/** What to do with a text that an isolate has handed up. */
export type OfferAction = "ignore" | "adopt" | "read";
/** What to do after a read of our own. `later`: read again in EDIT_RECHECK_MS. `put`: put the text with our revision. */
export type ReadAction = "none" | "adopt" | "later" | "put";

/** Is the text in KV, as far as is known, the one that a person has put, without our revision? */
export function isPutByHand({ current, put, unput }: EditState): boolean {
  return current !== "" && !unput && put.hash !== current;
}

/** Before any spec. */
export function initialEdits(): EditState {
  return {
    current: "",
    changedAt: 0,
    seen: false,
    unput: false,
    put: { revision: 0, hash: "", at: 0 },
    known: [],
  };
}

/**
 * An isolate has read a text without metadata. One that never was the spec, at a time when nothing else has changed
 * for as long as KV can be stale, can only be a new hand edit. Anything else may be an old reading: our own read
 * decides.
 */
export function onOffer(s: EditState, offer: { hash: string }, now: number): OfferAction {
  if (offer.hash === s.current) return "ignore";
  if (!s.known.includes(offer.hash) && now - s.changedAt >= KV_DELAY_MS) return "adopt";
  return "read";
}

/**
 * A read of our own. Reads in one place do not go back in time, so once the current text has been seen, a person's
 * text that is another one is newer; before that, it counts after KV's delay only.
 */
export function onRead(
  s: EditState,
  read: { hash: string; revision: number | undefined },
  now: number,
): { state: EditState; action: ReadAction } {
  if (read.hash === s.current) {
    const state = s.seen && !s.unput ? s : { ...s, seen: true, unput: false };
    // Put it with our revision once no newer edit can be hidden from us, and not again while our put may be unseen.
    const ours = read.revision !== undefined || (s.put.hash === s.current && now - s.put.at < KV_DELAY_MS);
    return { state, action: !ours && now - s.changedAt >= KV_DELAY_MS ? "put" : "none" };
  }
  // An older text of our own is a stale reading; one newer than any of ours is from a controller before us.
  const own = read.revision !== undefined && read.revision <= s.put.revision;
  if (s.unput) {
    const old = own || s.known.includes(read.hash);
    return { state: s, action: old ? "put" : "adopt" };
  }
  // Unless it is old no longer: then our put fell on an edit that was handed up by another place, and lost to nobody.
  if (own) return { state: s, action: now - Math.max(s.changedAt, s.put.at) >= KV_DELAY_MS ? "put" : "none" };
  return { state: s, action: s.seen || now - s.changedAt >= KV_DELAY_MS ? "adopt" : "later" };
}

/** The text became the spec: from KV it is there already, from the API it has yet to be put. */
export function onAdopt(s: EditState, edit: { hash: string; source: "kv" | "api" }, now: number): EditState {
  const known = [...s.known.filter((h) => h !== edit.hash), edit.hash].slice(-KNOWN_LIMIT);
  return { ...s, current: edit.hash, changedAt: now, seen: false, unput: edit.source === "api", known };
}

/** A put of ours has been accepted by KV. */
export function onPut(s: EditState, put: { hash: string; revision: number }, now: number): EditState {
  return { ...s, unput: s.unput && put.hash !== s.current, put: { ...put, at: now } };
}
