/** The flags as KV alone tells them: as the document asks, and as the last published status has them served. */
import type { FlagListView, FlagSpecView } from "../../core/api/views.ts";
import { type ParsedDocument, parseDocument } from "../../core/flag/parse.ts";
import { SHARE_PER_PERCENT } from "../../core/flag/percentage.ts";
import type { State, Value } from "../../core/flag/schema.ts";
import { hashText } from "../../core/hashing/text.ts";
import { type EffectiveFlag, effectiveFlags, type Stop } from "../../core/rollout/effective.ts";
import { parseSnapshot } from "../../core/rollout/snapshot-text.ts";

/** The texts under the three keys; undefined for a key that is missing. */
export interface KvTexts {
  text: string;
  kill: string;
  snapshot: string | undefined;
}

const WHY: Record<Stop, string> = {
  kill: "killed, by the kill key or in the document",
  switch: "a switch is off",
  halt: "halted",
};

/** All flags of the document. What only the controller knows is null; `now` in milliseconds since the epoch. */
export function listOf({ text, kill, snapshot: published }: KvTexts, now: number): FlagListView {
  const parsed = parseDocument(text);
  const snapshot = published === undefined ? undefined : parseSnapshot(published);
  const document = { hash: hashText(text), revision: undefined, parsed };
  const served = effectiveFlags({ snapshot, document, kill, heardAt: now, now });
  const byName = new Map(served.map((flag) => [flag.name, flag]));
  const written = writtenIn(text);
  const names = [...parsed.flags.keys(), ...parsed.broken.keys()];
  return {
    revision: snapshot?.revision ?? 0,
    etag: "",
    enabled: parsed.enabled ?? snapshot?.enabled ?? true,
    faults: parsed.faults,
    flags: names.map((name) => viewOf(name, parsed, byName.get(name), written)),
  };
}

function viewOf(
  name: string,
  parsed: ParsedDocument,
  served: EffectiveFlag | undefined,
  written: Record<string, { [key: string]: Value }>,
): FlagSpecView {
  const flag = parsed.flags.get(name) ?? served?.spec ?? null;
  const stop = served?.stop;
  const state: State = flag?.state ?? "off";
  return {
    name,
    written: Object.hasOwn(written, name) ? written[name]! : null,
    flag,
    faults: parsed.broken.get(name) ?? [],
    etag: "",
    revision: null,
    updatedAt: null,
    createdAt: null,
    served: (served?.share ?? 0) / SHARE_PER_PERCENT,
    effective: stop === undefined ? state : stop === "kill" ? "kill" : "off",
    why:
      stop === undefined
        ? served?.stale
          ? "nothing is published: every canary is at 0 %"
          : null
        : WHY[stop],
  };
}

function writtenIn(text: string): Record<string, { [key: string]: Value }> {
  try {
    const { flags = {} } = JSON.parse(text.replace(/^\ufeff/, "")) as {
      flags?: Record<string, { [key: string]: Value }>;
    };
    return flags;
  } catch {
    return {};
  }
}
