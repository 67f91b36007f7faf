/**
 * What the controller has decided, and the pure steps by which it changes: a spec adopted, a halt, a resume. Every
 * step raises the revision. It refuses to know where it is kept and who is told.
 */
import { generationOf } from "../core/flag/generation.ts";
import type { ParsedDocument } from "../core/flag/parse.ts";
import type { Flag } from "../core/flag/schema.ts";
import { type EditState, initialEdits } from "../core/rollout/edits.ts";
import { askedShare } from "../core/rollout/effective.ts";
import { isKilled } from "../core/rollout/kill.ts";
import {
  type Fault,
  type FlagStatus,
  type Halt,
  SNAPSHOT_VERSION,
  type Snapshot,
} from "../core/rollout/snapshot.ts";

/** The controller's whole decision. */
export interface Rollout {
  /** 0 before the first spec. */
  revision: number;
  specHash: string;
  enabled: boolean;
  /** Every flag in its last good form. */
  flags: Map<string, Flag>;
  status: Map<string, FlagStatus>;
  halts: Halt[];
  /** Text of the kill key, as read last. */
  kill: string;
  faults: Fault[];
  edits: EditState;
}

/**
 * A revision that goes on from a published one skips so many: others may have seen newer ones than the one found,
 * and they never go to a lower one. KV's delay leaves room for some 75, one a second.
 */
const RECOVERY_GAP = 1000;

/** Before any spec. */
export function emptyRollout(): Rollout {
  return {
    revision: 0,
    specHash: "",
    enabled: true,
    flags: new Map(),
    status: new Map(),
    halts: [],
    kill: "",
    faults: [],
    edits: initialEdits(),
  };
}

/**
 * Goes on from what was published, after the controller's own store was lost at `now` at the latest (milliseconds
 * since the epoch). What KV shows next may be older than that, so the edit rules count from here.
 */
export function recovered(snapshot: Snapshot, now: number): Rollout {
  return {
    revision: snapshot.revision + RECOVERY_GAP,
    specHash: snapshot.specHash,
    enabled: snapshot.enabled,
    flags: new Map(Object.entries(snapshot.flags)),
    status: new Map(Object.entries(snapshot.status)),
    halts: snapshot.halts,
    kill: snapshot.kill ?? "",
    faults: snapshot.faults,
    edits: {
      ...initialEdits(),
      current: snapshot.specHash,
      changedAt: now,
      put: { revision: snapshot.revision, hash: "", at: now },
      known: [snapshot.specHash],
    },
  };
}

/** The snapshot to publish, made at `at` (milliseconds since the epoch); undefined before the first spec. */
export function snapshotOf(rollout: Rollout, at: number): Snapshot | undefined {
  if (rollout.revision === 0) return undefined;
  const { revision, specHash, enabled, halts, kill, faults } = rollout;
  return {
    v: SNAPSHOT_VERSION,
    revision,
    at,
    specHash,
    enabled,
    flags: Object.fromEntries(rollout.flags),
    status: Object.fromEntries(rollout.status),
    halts: [...halts],
    kill,
    faults,
  };
}

/** What adopting a text has changed. */
export interface Adoption {
  /** Flags whose form differs, new ones included. */
  changed: string[];
  /** Of those: flags whose generation differs, so that visitors are placed or judged anew. */
  regenerated: string[];
  removed: string[];
}

/**
 * Takes a text over. Broken flags keep their last good form, flags that the text no longer names go; a document that
 * cannot be read at all changes nothing but its faults.
 */
export function adoptDocument(rollout: Rollout, parsed: ParsedDocument, hash: string): Adoption {
  rollout.revision++;
  rollout.specHash = hash;
  rollout.faults = parsed.faults;
  const adoption: Adoption = { changed: [], regenerated: [], removed: [] };
  if (isUnreadable(parsed)) return adoption;
  rollout.enabled = parsed.enabled ?? rollout.enabled;
  for (const name of rollout.flags.keys()) {
    if (parsed.flags.has(name) || parsed.broken.has(name)) continue;
    rollout.flags.delete(name);
    rollout.status.delete(name);
    adoption.removed.push(name);
  }
  for (const [name, flag] of parsed.flags) {
    const generation = generationOf(flag);
    if (generation !== rollout.status.get(name)?.generation) adoption.regenerated.push(name);
    else if (JSON.stringify(flag) === JSON.stringify(rollout.flags.get(name))) continue;
    adoption.changed.push(name);
    rollout.flags.set(name, flag);
    rollout.status.set(name, { generation, share: askedShare(flag) });
  }
  return adoption;
}

/** A text without any flag, good or broken, that has faults: nothing in it can be told from an accident. */
export function isUnreadable(parsed: ParsedDocument): boolean {
  return parsed.flags.size === 0 && parsed.broken.size === 0 && parsed.faults.length > 0;
}

/** The halt of a flag's release, if there is one. */
export function haltOf(rollout: Rollout, flag: string, release: string): Halt | undefined {
  return rollout.halts.find((halt) => halt.flag === flag && halt.release === release);
}

/** Is green out of traffic by the kill key, the global switch or a halt, whatever the spec asks for? */
export function isStopped(rollout: Rollout, name: string): boolean {
  const flag = rollout.flags.get(name);
  if (!rollout.enabled || isKilled(rollout.kill, name) || flag?.state === "kill") return true;
  return flag !== undefined && haltOf(rollout, name, flag.release) !== undefined;
}

/** Share of green that is served, in thousandths of a percent. */
export function servedShare(rollout: Rollout, name: string): number {
  return isStopped(rollout, name) ? 0 : (rollout.status.get(name)?.share ?? 0);
}

/** Flags that are judged: green gets traffic of their present release, and no halt stops it. */
export function isJudged(rollout: Rollout, name: string): boolean {
  const flag = rollout.flags.get(name);
  if (!flag || (flag.state !== "canary" && flag.state !== "on")) return false;
  return haltOf(rollout, name, flag.release) === undefined;
}
