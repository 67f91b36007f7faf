/**
 * What the controller has decided, and the pure steps by which it changes: a spec adopted, a halt, a resume. Every
 * step raises the revision. It refuses to know where it is kept and who is told.
 */
import { generationOf } from "../core/flag/generation.ts";
import { type Notify, notify } from "../core/flag/notify.ts";
import type { ParsedDocument } from "../core/flag/parse.ts";
import { SHARE_PER_PERCENT, shareOf } from "../core/flag/percentage.ts";
import type { Flag } from "../core/flag/schema.ts";
import { type EditState, initialEdits } from "../core/rollout/edits.ts";
import type { Progress, SpecOf, Standing } from "../core/rollout/progress.ts";
import { publishedFlag, wholeFlag } from "../core/rollout/published.ts";
import {
  EVERY_RELEASE,
  type Fault,
  type FlagStatus,
  type Halt,
  SNAPSHOT_VERSION,
  type Snapshot,
} from "../core/rollout/snapshot.ts";
import { bandsOf, greenShare, newProgress, stageOf, transition } from "../core/rollout/transition.ts";
import { isSwitchedOff } from "./switched-off.ts";

/** The controller's whole decision. */
export interface Rollout {
  /** 0 before the first spec. */
  revision: number;
  specHash: string;
  enabled: boolean;
  /** Every flag in its last good form. */
  flags: Map<string, Flag>;
  /** What is published of each. */
  status: Map<string, FlagStatus>;
  /** Where the rollout of each is. */
  progress: Map<string, Progress>;
  /** Tenants chosen from directories, by flag and cohort. */
  selected: Map<string, Record<string, string[]>>;
  /** What could not be met in choosing them, by flag: sentences. */
  wanting: Map<string, string[]>;
  /** Who is told what, in its last good form. */
  notify: Notify;
  halts: Halt[];
  /** Text of the kill key, as read last. */
  kill: string;
  faults: Fault[];
  edits: EditState;
  /** Name of the environment that this is, not kept: some flags count in some only. Undefined: it has none. */
  environment?: string | undefined;
}

/**
 * A revision that goes on from a published one skips so many: others may have seen newer ones than the one found,
 * and they never go to a lower one. KV's delay leaves room for some 75, one a second.
 */
const RECOVERY_GAP = 1000;

/** Nobody is told anything. */
export const NOBODY: Notify = notify.parse({});

/** Before any spec. */
export function emptyRollout(): Rollout {
  return {
    revision: 0,
    specHash: "",
    enabled: true,
    flags: new Map(),
    status: new Map(),
    progress: new Map(),
    selected: new Map(),
    wanting: new Map(),
    notify: NOBODY,
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
  const flags = new Map(Object.entries(snapshot.flags).map(([name, flag]) => [name, wholeFlag(flag)]));
  return {
    revision: snapshot.revision + RECOVERY_GAP,
    specHash: snapshot.specHash,
    enabled: snapshot.enabled,
    flags,
    status: new Map(Object.entries(snapshot.status)),
    progress: new Map(
      [...flags].map(([name, flag]) => [
        name,
        progressFrom(flag, snapshot.status[name], snapshot.halts, name, now),
      ]),
    ),
    selected: new Map(
      Object.entries(snapshot.status).flatMap(([name, { selected }]) => (selected ? [[name, selected]] : [])),
    ),
    wanting: new Map(),
    notify: NOBODY,
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
    flags: Object.fromEntries([...rollout.flags].map(([name, flag]) => [name, publishedFlag(flag)])),
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
  rollout.notify = parsed.notify ?? rollout.notify;
  for (const name of rollout.flags.keys()) {
    if (parsed.flags.has(name) || parsed.broken.has(name)) continue;
    rollout.flags.delete(name);
    rollout.status.delete(name);
    rollout.selected.delete(name);
    rollout.wanting.delete(name);
    adoption.removed.push(name);
  }
  for (const [name, flag] of parsed.flags) {
    const generation = generationOf(flag);
    if (generation !== rollout.status.get(name)?.generation) adoption.regenerated.push(name);
    else if (JSON.stringify(flag) === JSON.stringify(rollout.flags.get(name))) continue;
    adoption.changed.push(name);
    rollout.flags.set(name, flag);
  }
  return adoption;
}

/** What the state machine needs of a flag's spec. */
export function specOf({ state, release, percentage, plan, blueCapacity }: Flag): SpecOf {
  return { state, release, asked: shareOf(percentage), plan, blueCapacity };
}

/** What is to be published of a flag; undefined for one that is not in the spec. */
export function publishedStatus(rollout: Rollout, name: string): FlagStatus | undefined {
  const flag = rollout.flags.get(name);
  const progress = rollout.progress.get(name);
  if (!flag || !progress) return undefined;
  const selected = rollout.selected.get(name);
  return {
    generation: generationOf(flag),
    share: progress.share,
    // Without a plan too: an isolate on its own must not raise what is on its way down.
    ...((progress.plan || progress.phase === "rollingBack") && { phase: progress.phase }),
    ...(progress.plan && {
      stage: progress.stage,
      ...(stageOf(progress)?.shadow && { shadow: true as const }),
      bands: bandsOf(progress),
      ...(progress.cohorts && { cohorts: progress.cohorts }),
    }),
    ...(selected && { selected }),
  };
}

/** Where a rollout is, in words for the audit log: `progressing 5 %`. */
export function placeOf(progress: Progress): string {
  return `${progress.phase} ${greenShare(progress) / SHARE_PER_PERCENT} %`;
}

/** Progress as far as what was published tells of it: the same share, at the stage that it belongs to. */
function progressFrom(
  flag: Flag,
  status: FlagStatus | undefined,
  halts: readonly Halt[],
  name: string,
  now: number,
): Progress {
  const spec = specOf(flag);
  const share = status?.share ?? 0;
  const former: Progress = { ...newProgress(), standing: standingOf(halts, name) };
  const begun = transition(former, { type: "spec", spec: { ...spec, asked: share } }, now);
  const progress = begun.ok ? begun.progress : former;
  const { phase = progress.phase, stage = progress.stage, cohorts = progress.cohorts } = status ?? {};
  return { ...progress, asked: spec.asked, share, phase, stage, cohorts };
}

/** What sticks to a flag's releases, as its progress remembers it. */
export function standingOf(halts: readonly Halt[], flag: string): Standing[] {
  return halts
    .filter((halt) => halt.flag === flag)
    .map(({ release, action, cohort, cap, reason }) => ({ release, action, cohort, cap, why: reason }));
}

/** A text without any flag, good or broken, that has faults: nothing in it can be told from an accident. */
export function isUnreadable(parsed: ParsedDocument): boolean {
  return parsed.flags.size === 0 && parsed.broken.size === 0 && parsed.faults.length > 0;
}

/** The halt that keeps green of a flag's release out of traffic, if there is one: a kill before a rollback. */
export function haltOf(rollout: Rollout, flag: string, release: string): Halt | undefined {
  const rows = haltsOf(rollout, flag, release).filter((halt) => halt.cohort === undefined);
  return rows.find(({ action }) => action === "kill") ?? rows.find(({ action }) => action === "rollback");
}

/** All rows that stick to a flag's release. */
export function haltsOf(rollout: Rollout, flag: string, release: string): Halt[] {
  return rollout.halts.filter(
    (halt) => halt.flag === flag && (halt.release === release || halt.release === EVERY_RELEASE),
  );
}

/** Is green out of traffic by the kill key, the global switch or a halt, whatever the spec asks for? */
export function isStopped(rollout: Rollout, name: string): boolean {
  return isSwitchedOff(rollout, name) || haltOfPresent(rollout, name) !== undefined;
}

/** Share of green that is served, in thousandths of a percent. */
export function servedShare(rollout: Rollout, name: string): number {
  const flag = rollout.flags.get(name);
  if (!flag || isStopped(rollout, name)) return 0;
  const caps = haltsOf(rollout, name, flag.release).map(({ cap }) => cap ?? Number.POSITIVE_INFINITY);
  return Math.min(rollout.status.get(name)?.share ?? 0, ...caps);
}

/** May anybody be on green: by the hash, or in a cohort? */
export function isGreenServed(rollout: Rollout, name: string): boolean {
  const flag = rollout.flags.get(name);
  if (!flag || isStopped(rollout, name)) return false;
  if (servedShare(rollout, name) > 0) return true;
  if (flag.state !== "canary") return false;
  const on = rollout.status.get(name)?.cohorts;
  return Object.entries(flag.cohorts).some(
    ([cohort, { enabled }]) => enabled && (on === undefined || on.includes(cohort)),
  );
}

/** Flags that are judged: green gets traffic of their present release, and no halt stops it. */
export function isJudged(rollout: Rollout, name: string): boolean {
  const flag = rollout.flags.get(name);
  if (!flag || (flag.state !== "canary" && flag.state !== "on")) return false;
  return haltOf(rollout, name, flag.release) === undefined;
}

function haltOfPresent(rollout: Rollout, name: string): Halt | undefined {
  const flag = rollout.flags.get(name);
  return flag && haltOf(rollout, name, flag.release);
}
