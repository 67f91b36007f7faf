/** Changes of the document in KV itself: read, changed, checked, put, and told when they count. */
import { diffDocuments } from "../../core/flag/difference.ts";
import type { Edited } from "../../core/flag/edit.ts";
import { type ParsedDocument, parseDocument } from "../../core/flag/parse.ts";
import { isSwitch } from "../../core/flag/switches.ts";
import type { Fault } from "../../core/rollout/snapshot.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";
import type { KvKey, WranglerKv } from "./kv.ts";

/** A document that is not there yet. */
const EMPTY = '{\n  "flags": {}\n}\n';

/** What a change came to. */
export interface KvChange {
  changed: boolean;
  text: string;
  before: ParsedDocument;
  after: ParsedDocument;
  /** When it counts, and what may win over it; null where nothing has changed. */
  sentence: string | null;
}

/** The text under a key; the command ends where it cannot be read. */
export async function readKey(kv: WranglerKv, key: KvKey): Promise<string | undefined> {
  const got = await kv.get(key);
  if (got.ok) return got.value;
  return stop({
    exit: EXIT.unreachable,
    sentence: got.sentence,
    where: kv.where,
    hint: "greenlight doctor looks further.",
  });
}

/** Writes a key; the command ends where it cannot be written. */
export async function writeKey(kv: WranglerKv, key: "flags" | "kill", text: string): Promise<void> {
  const put = await kv.put(key, text);
  if (!put.ok)
    stop({ exit: EXIT.unreachable, sentence: `Nothing was written: ${put.sentence}`, where: kv.where });
}

/** The document in KV; an empty one where there is none. */
export async function readDocument(kv: WranglerKv): Promise<string> {
  return (await readKey(kv, "flags")) ?? EMPTY;
}

/**
 * Changes the document. `flag`: the one that is meant, whose faults refuse the change; those that were there before in
 * others do not, so that one flag can be switched off while another is broken.
 */
export async function changeDocument(
  kv: WranglerKv,
  change: (text: string) => Edited,
  flag: string | undefined,
): Promise<KvChange> {
  const old = await readDocument(kv);
  const edited = change(old);
  if (!edited.ok) return stop({ exit: EXIT.refused, sentence: `${edited.sentence}.`, where: kv.where });
  const before = parseDocument(old);
  const { text, changed } = edited;
  if (!changed) return { changed, text, before, after: before, sentence: null };
  const after = parseDocument(text);
  const faults = faultsOfChange(before, after, flag);
  if (faults.length > 0)
    return stop({
      exit: EXIT.refused,
      sentence: "Nothing was written: the flag would have faults.",
      where: kv.where,
      faults,
    });
  await writeKey(kv, "flags", text);
  return { changed, text, before, after, sentence: whenItCounts(before, after, kv) };
}

/** Faults that speak against a change: those of the flag that is meant, and those that were not there before. */
export function faultsOfChange(
  before: ParsedDocument,
  after: ParsedDocument,
  flag: string | undefined,
): Fault[] {
  const known = new Set(before.faults.map(keyOf));
  const own = new Set((flag === undefined ? [] : (after.broken.get(flag) ?? [])).map(keyOf));
  return after.faults.filter((fault) => own.has(keyOf(fault)) || !known.has(keyOf(fault)));
}

function keyOf({ path, message }: Fault): string {
  return `${path}\n${message}`;
}

/** When a put by hand counts, by what it does to green. */
export function whenItCounts(before: ParsedDocument, after: ParsedDocument, { where }: WranglerKv): string {
  const { added, removed, changed } = diffDocuments(before, after);
  const isOff = (name: string) => after.flags.get(name)?.state === "off";
  const isOn = (name: string) => before.flags.get(name)?.state !== "off";
  const [was, is] = [before.enabled ?? true, after.enabled ?? true];
  // A switch that is new and off takes visitors off green, one that is taken out lets them back.
  const lowers =
    (was && !is) ||
    changed.some(({ lowersGreen }) => lowersGreen) ||
    removed.some(isOn) ||
    added.some((name) => isSwitch(name) && isOff(name));
  const raises =
    (!was && is) ||
    changed.some(({ raisesGreen }) => raisesGreen) ||
    added.some((name) => !isOff(name)) ||
    removed.some((name) => isSwitch(name));
  const when = [
    ...(lowers ? [LOWERS] : []),
    ...(raises ? [RAISES] : []),
    ...(lowers || raises ? [] : [NEITHER]),
  ];
  return `Written to ${where}. ${when.join(" ")} A write by the API in the same minute may win over it; the kill key cannot lose.`;
}

const LOWERS =
  "What lowers green counts as soon as an isolate reads it: at once on this machine, within KV's delay of about a minute elsewhere.";
const RAISES =
  "What raises green waits for the controller: seconds, or a minute by KV's delay; with the controller down two minutes.";
const NEITHER = "It counts once the controller has adopted it, within a minute.";
