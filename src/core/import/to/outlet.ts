/** A document on its way out: its flags as pieces, so that what another system cannot say is listed. */
import { FORMER_NAME } from "../drafts.ts";
import type { Exported, Format, WrittenDocument } from "../imported.ts";
import { isRecord, type Piece, Reading } from "../piece.ts";

/** One flag of the document. */
export interface OutFlag {
  /** What the other system calls it: the name that it had there, where it came from it. */
  name: string;
  piece: Piece;
  state: string;
  /** Percentage of the flag, 0 to 100. */
  percentage: number;
}

/** The document as it is read for another format. */
export class Outlet {
  readonly reading: Reading;
  readonly flags: OutFlag[];

  constructor(document: WrittenDocument) {
    this.reading = new Reading(document);
    const { root } = this.reading;
    root.at("$schema").take();
    this.flags = root
      .at("flags")
      .entries()
      .map(([name, piece]) => {
        const former = piece.at("metadata").at(FORMER_NAME);
        const state = textAt(piece, "state") ?? "off";
        const percentage = piece.at("percentage").isThere ? (piece.at("percentage").number() ?? 0) : 0;
        return {
          name: typeof former.value === "string" ? String(former.take()) : name,
          piece,
          state,
          percentage,
        };
      });
    const enabled = root.at("enabled");
    if (enabled.value === true) enabled.take();
    else if (enabled.isThere)
      enabled.lose("All flags are off by the global switch: the other system has none.");
  }

  /** What the flags that a name stands for are called there. */
  formerOf(name: string): string {
    const former = this.reading.root.at("flags").at(name).at("metadata").at(FORMER_NAME).value;
    return typeof former === "string" ? former : name;
  }

  /** Ids of a list, with members in the place of the document's groups. */
  idsOf(list: Piece): string[] {
    const ids = new Set<string>();
    const seen = new Set<string>();
    const open = list.isThere ? list.items() : [];
    for (let piece = open.shift(); piece !== undefined; piece = open.shift()) {
      const id = piece.text() ?? "";
      const group = this.reading.root.at("groups").at(id);
      if (!group.isThere) ids.add(id);
      else if (!seen.has(id)) open.push(...group.items());
      seen.add(id);
    }
    return [...ids];
  }

  /** The file. What nobody asked for is lost. */
  finish(format: Format, value: unknown, text = `${JSON.stringify(value, null, 2)}\n`): Exported {
    this.reading.reportRest(`The format ${format} has no counterpart.`);
    return { format, value, text, losses: this.reading.losses };
  }
}

/** A text of the flag, which is taken by this. */
export function textAt(piece: Piece, key: string): string | undefined {
  return piece.at(key).isThere ? piece.at(key).text() : undefined;
}

/** A value under metadata, which is taken by this. */
export function metadataAt(flag: Piece, key: string): string | number | boolean | undefined {
  const piece = flag.at("metadata").at(key);
  return piece.isThere ? (piece.take() as string | number | boolean) : undefined;
}

/** The object without keys that have no value. */
export function present(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** Is this flag on as far as its percentage goes, in a system that has no other states? Says what it cannot tell. */
export function enabledOf({ piece, state }: OutFlag): boolean {
  const given = piece.at("state");
  if (state === "on") given.change("Enabled for everybody: it comes back as canary with 100 %.");
  else if (state === "kill" || state === "shadow")
    given.change("There is no such state there: it is not enabled.");
  return state === "on" || state === "canary";
}

/** The cohort of that name, if it has no fields but these; the others are lost where they are not. */
export function cohortWith(flag: Piece, name: string, fields: readonly string[]): Piece | undefined {
  const cohort = flag.at("cohorts").at(name);
  if (!isRecord(cohort.value) || !Object.keys(cohort.value).every((key) => fields.includes(key)))
    return undefined;
  return cohort;
}
