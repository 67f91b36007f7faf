/** The flags that come of a source while it is read: under names that we can take, in a form that we can take. */
import { isName, type Value } from "../flag/schema.ts";
import type {
  FieldsOf,
  Format,
  Imported,
  ImportOptions,
  Loss,
  WrittenDocument,
  WrittenFlag,
} from "./imported.ts";
import { type Piece, Reading } from "./piece.ts";
import { sound } from "./sound.ts";

/** Key of `metadata` with the name that a flag had where it came from, if that is none for us. */
export const FORMER_NAME = "formerName";

/** Longest text of `metadata`, and longest key. */
const LONGEST_TEXT = 10_000;
const LONGEST_KEY = 64;

/** One flag of the source. */
export class Draft {
  readonly name: string;
  readonly flag: WrittenFlag = {};
  /** Fields that the source says nothing of. */
  readonly assumed = new Set<string>();
  /** Fields that the source denies by leaving them out. */
  readonly absent = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** Sets a field that the source names; undefined leaves it as it is. */
  set(field: string, value: Value | undefined): void {
    if (value === undefined) return;
    this.flag[field] = value;
    this.assumed.delete(field);
  }

  /** Sets a field that a flag cannot be without, where the source has not said it. */
  assume(field: string, value: Value): void {
    if (field in this.flag) return;
    this.flag[field] = value;
    this.assumed.add(field);
  }

  /** Sets a field that the source always says: where it is left out, or empty, it is not so. */
  settle(field: string, value: Value | undefined): void {
    const empty = value === undefined || (typeof value === "object" && value !== null && isEmpty(value));
    if (empty) this.absent.add(field);
    else this.set(field, value);
  }

  /** The same for a cohort. */
  settleCohort(name: string, cohort: { [key: string]: Value } | undefined): void {
    if (cohort === undefined || isEmpty(cohort)) this.absent.add(`cohorts.${name}`);
    else this.part("cohorts")[name] = cohort;
  }

  /** Cohorts that are counted: `NAME-1`, `NAME-2` and so on. Others of this name are no longer there. */
  settleCohorts(name: string, cohorts: readonly { [key: string]: Value }[]): void {
    this.absent.add(`cohorts.${name}-*`);
    cohorts.forEach((cohort, i) => {
      this.part("cohorts")[`${name}-${i + 1}`] = cohort;
    });
  }

  /** Turns it off, for a condition of its being on that cannot be said. */
  shut(): void {
    if (this.flag.state !== "kill") this.set("state", "off");
  }

  /** An object of the flag, made where it is not there yet. */
  part(field: "cohorts" | "metadata" | "overrides"): { [key: string]: Value } {
    this.flag[field] ??= {};
    return this.flag[field] as { [key: string]: Value };
  }

  /** Keeps a value under `metadata`, and says so; what does not go there is lost. */
  keep(key: string, piece: Piece, sentence = "Kept under metadata; Greenlight does not use it."): void {
    const { value } = piece;
    if (!piece.isThere) return;
    const fits = typeof value === "string" ? value.length <= LONGEST_TEXT : typeof value !== "object";
    if (!fits || key === "" || key.length > LONGEST_KEY || key === "__proto__")
      return void piece.lose("There is no field for it, and it does not go under metadata.");
    this.part("metadata")[key] = value as Value;
    piece.keep(sentence);
  }
}

/** All flags of a source. */
export class Drafts {
  readonly reading: Reading;
  readonly options: ImportOptions;
  readonly #byFormer = new Map<string, Draft>();
  readonly #names = new Set<string>();

  constructor(value: unknown, options: ImportOptions) {
    this.reading = new Reading(value);
    this.options = options;
  }

  get root(): Piece {
    return this.reading.root;
  }

  /** The flag of that name, made where it is not there yet. `where` is told when the name has to be another one. */
  of(former: string, where: Piece): Draft {
    const known = this.#byFormer.get(former);
    if (known !== undefined) return known;
    const draft = new Draft(this.#nameFor(former));
    this.#names.add(draft.name);
    this.#byFormer.set(former, draft);
    if (draft.name === former) return draft;
    if (former.length <= LONGEST_TEXT) draft.part("metadata")[FORMER_NAME] = former;
    where.change(`No name for a flag: it is called ${draft.name}, and the name it had is under metadata.`);
    return draft;
  }

  /** Has a flag of that name been made? */
  has(former: string): boolean {
    return this.#byFormer.has(former);
  }

  /**
   * Sets what a flag needs, under the names that these have here. One that is no flag of the source or the document
   * can never be on, and so neither can the flag that needs it.
   */
  need(draft: Draft, pieces: readonly { former: string; piece: Piece }[]): void {
    const names = new Set<string>();
    for (const { former, piece } of pieces) {
      const name =
        this.#byFormer.get(former)?.name ?? (this.options.known?.includes(former) ? former : undefined);
      if (name !== undefined) names.add(name);
      else {
        piece.lose("It needs a flag that is neither in the file nor in the document: so it is off.");
        draft.shut();
      }
    }
    draft.settle("dependencies", [...names]);
  }

  /** What came of it. What nobody has taken by now is lost, and so is what the document cannot have. */
  finish(format: Format): Imported {
    this.reading.reportRest("Greenlight has no counterpart, or the format is not known to have it.");
    const drafts = [...this.#byFormer.values()];
    const document: WrittenDocument = { flags: {} };
    const assumed: FieldsOf = {};
    const absent: FieldsOf = {};
    for (const draft of drafts) {
      draft.assume("state", "off");
      document.flags[draft.name] = draft.flag;
      if (draft.assumed.size > 0) assumed[draft.name] = [...draft.assumed];
      if (draft.absent.size > 0) absent[draft.name] = [...draft.absent];
    }
    const losses: Loss[] = this.reading.losses;
    losses.push(...sound(document, this.options.known ?? []));
    return { ok: true, format, document, losses, assumed, absent };
  }

  #nameFor(former: string): string {
    const plain = isName(former)
      ? former
      : former.replace(/[^A-Za-z0-9._+-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
    const base = plain.slice(0, LONGEST_KEY) || "flag";
    let name = base;
    for (let n = 2; this.#names.has(name); n++)
      name = `${base.slice(0, LONGEST_KEY - String(n).length - 1)}-${n}`;
    return name;
  }
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
