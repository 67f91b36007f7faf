/**
 * What an isolate serves: the published snapshot, the flag document that it reads in KV and the kill key, combined.
 * Pure; the rules are those of "How a hand edit, the API and the controller agree" in docs/architecture.md. In short:
 * what lowers green counts at once, whoever says it; what raises green waits for the controller.
 */
import type { ParsedDocument } from "../flag/parse.ts";
import { FULL_SHARE, shareOf } from "../flag/percentage.ts";
import type { Flag } from "../flag/schema.ts";
import { isKilled } from "./kill.ts";
import type { Halt, Snapshot } from "./snapshot.ts";

/** Without an answer from a shard for so long, an isolate takes a raise from KV by itself. */
export const ALONE_AFTER_MS = 120_000;

/** A flag document as read from KV. */
export interface KvDocument {
  hash: string;
  /** Revision in the KV metadata: the controller put it. Absent: a person did. */
  revision: number | undefined;
  parsed: ParsedDocument;
}

/** All that an isolate knows. */
export interface Knowledge {
  snapshot: Snapshot | undefined;
  document: KvDocument | undefined;
  /** Text of the `kill` key. */
  kill: string;
  /** When this isolate last had an answer from a shard, or else when it first asked (ms since the epoch). */
  heardAt: number;
  now: number;
}

/** Why green is out of the question for a flag, strongest first. */
export type Stop = "kill" | "switch" | "halt";

/** One flag as it is served. */
export interface EffectiveFlag {
  name: string;
  spec: Flag;
  /** Share of green in thousandths of a percent; 0 whenever `stop` is set. */
  share: number;
  /** Targeting key → cohort, of those who are on green whatever the share. Empty unless the state is canary. */
  members: ReadonlyMap<string, string>;
  stop: Stop | undefined;
  /** True where a spec without any published status is served: reason STALE. */
  stale: boolean;
}

/** Is the document a change that the controller has not published yet? */
export function isPending(document: KvDocument | undefined, snapshot: Snapshot | undefined): boolean {
  if (!document || isUnreadable(document.parsed)) return false;
  if (!snapshot) return true;
  if (document.revision !== undefined) return document.revision > snapshot.revision;
  return document.hash !== snapshot.specHash;
}

/** Bytes that are no document at all ask for nothing; they are reported, and what was served goes on. */
function isUnreadable(parsed: ParsedDocument): boolean {
  return parsed.enabled === undefined && parsed.flags.size === 0 && parsed.broken.size === 0;
}

/** Share of green that a spec asks for, in thousandths of a percent. */
export function askedShare(flag: Flag): number {
  switch (flag.state) {
    case "on":
      return FULL_SHARE;
    case "canary":
      return shareOf(flag.percentage);
    default:
      return 0;
  }
}

/** Combines what is known into the flags to serve, sorted by name. */
export function effectiveFlags(k: Knowledge): EffectiveFlag[] {
  const { snapshot, document } = k;
  const pending = isPending(document, snapshot) ? document : undefined;
  if (!snapshot) return fromDocumentAlone(k, pending);
  const alone = pending !== undefined && k.now - k.heardAt >= ALONE_AFTER_MS;
  const names = new Set(Object.keys(snapshot.flags));
  if (alone) for (const name of pending.parsed.flags.keys()) names.add(name);
  const gone = alone
    ? (name: string) => !pending.parsed.flags.has(name) && !pending.parsed.broken.has(name)
    : () => false;
  return [...names]
    .filter((name) => !gone(name))
    .sort()
    .map((name) => {
      const published = snapshot.flags[name];
      const edited = pending?.parsed.flags.get(name);
      const spec = (alone ? edited : undefined) ?? published ?? edited!;
      const status = snapshot.status[name];
      const shares = alone && edited ? [askedShare(edited)] : [status?.share ?? askedShare(spec)];
      if (edited && !alone) shares.push(askedShare(edited));
      const specs = edited && !alone ? [spec, edited] : [spec];
      const enabled = snapshot.enabled && (pending?.parsed.enabled ?? true);
      const switched = alone ? (pending.parsed.enabled ?? snapshot.enabled) : enabled;
      return build(
        name,
        spec,
        specs,
        Math.min(...shares),
        stopOf(name, specs, k.kill, switched, snapshot.halts),
        false,
      );
    });
}

/** A spec without a snapshot: every canary at 0 % until a shard answers, for halts are not known. */
function fromDocumentAlone(k: Knowledge, document: KvDocument | undefined): EffectiveFlag[] {
  if (!document) return [];
  return [...document.parsed.flags]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => {
      const stop = stopOf(name, [spec], k.kill, document.parsed.enabled ?? true, []);
      const share = spec.state === "canary" ? 0 : askedShare(spec);
      return { ...build(name, spec, [spec], share, stop, true), members: new Map() };
    });
}

function stopOf(
  name: string,
  specs: Flag[],
  kill: string,
  enabled: boolean,
  halts: Halt[],
): Stop | undefined {
  if (isKilled(kill, name) || specs.some((s) => s.state === "kill")) return "kill";
  if (!enabled) return "switch";
  if (specs.some((s) => halts.some((h) => h.flag === name && h.release === s.release))) return "halt";
  return undefined;
}

function build(
  name: string,
  spec: Flag,
  specs: Flag[],
  share: number,
  stop: Stop | undefined,
  stale: boolean,
): EffectiveFlag {
  return { name, spec, share: stop ? 0 : share, members: stop ? new Map() : membersOf(specs), stop, stale };
}

/** Members of enabled cohorts in all of the specs, while all are in canary. */
function membersOf(specs: Flag[]): Map<string, string> {
  if (specs.some((s) => s.state !== "canary")) return new Map();
  const [first, ...rest] = specs.map((s) => {
    const members = new Map<string, string>();
    for (const [cohort, { enabled, users }] of Object.entries(s.cohorts)) {
      if (enabled) for (const user of users) if (!members.has(user)) members.set(user, cohort);
    }
    return members;
  });
  for (const user of first!.keys()) if (rest.some((m) => !m.has(user))) first!.delete(user);
  return first!;
}
