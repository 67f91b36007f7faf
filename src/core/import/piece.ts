/** Values of a source, read so that nothing is overlooked: what nobody took is reported in the end. */
import { pathText } from "../flag/faults.ts";
import type { Path } from "../flag/json.ts";
import type { Loss } from "./imported.ts";

/** Conditions on who somebody is: the ids that they name stand beside, under no telling key. */
const ASKS_FOR_PEOPLE = /"(targetingKey|user_?id|email|tenant(_?id)?)"/i;

/** Characters of a value that are shown. */
const SHOWN = 80;

/** Keys whose values name people or tenants: what stands there is never shown. */
const NAMES_PEOPLE =
  /user|tenant|member|mail|whitelist|segments|(^|_)by$|^(ids?|ips?|values?|secret|token)$/i;

/** One source as it is read: what was taken of it, and what could not be. */
export class Reading {
  readonly losses: Loss[] = [];
  readonly root: Piece;
  readonly #taken = new Set<string>();
  readonly #said = new Set<string>();

  constructor(value: unknown) {
    this.root = new Piece(this, value, []);
  }

  /** Marks a value, with all that is in it, as looked after. */
  take(path: Path): void {
    this.#taken.add(JSON.stringify(path));
  }

  /** Adds a loss of the value at a place, which is looked after by that. */
  report(piece: Piece, kind: Loss["kind"], sentence: string): void {
    this.take(piece.path);
    const loss = {
      path: pathText(withoutPeople(piece.path)),
      value: shown(piece.value, piece.path),
      kind,
      sentence,
    };
    // Several flags may ask for the same place.
    const known = `${loss.path}\n${sentence}`;
    if (!this.#said.has(known)) this.losses.push(loss);
    this.#said.add(known);
  }

  /** Reports all that nobody has taken, each in as few words as possible: a whole object where none of it was. */
  reportRest(sentence: string): void {
    for (const piece of this.#untaken(this.root).pieces) this.report(piece, "lost", sentence);
  }

  #untaken(piece: Piece): { pieces: Piece[]; whole: boolean } {
    if (this.#taken.has(JSON.stringify(piece.path))) return { pieces: [], whole: false };
    const inside = piece.children();
    if (inside.length === 0) return { pieces: piece.value == null ? [] : [piece], whole: true };
    const found = inside.map((child) => this.#untaken(child));
    const pieces = found.flatMap((one) => one.pieces);
    const whole = found.every((one) => one.whole) && piece.path.length > 0;
    return whole && pieces.length > 0 ? { pieces: [piece], whole } : { pieces, whole };
  }
}

/** A value of the source and where it stands. Null is as good as absent. */
export class Piece {
  readonly value: unknown;
  readonly path: Path;
  readonly #reading: Reading;

  constructor(reading: Reading, value: unknown, path: Path) {
    this.#reading = reading;
    this.value = value;
    this.path = path;
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** The value under a key or index; one that is not there has no value. */
  at(key: string | number): Piece {
    const { value } = this;
    const inside =
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined;
    return new Piece(this.#reading, inside, [...this.path, key]);
  }

  /** The first of these keys that is there; the first of all where none is. */
  any(...keys: string[]): Piece {
    return this.at(keys.find((key) => this.at(key).isThere) ?? keys[0]!);
  }

  /** The same value as another one: a text that held it was parsed. */
  as(value: unknown): Piece {
    return new Piece(this.#reading, value, this.path);
  }

  /** Values of an object or list, in order. */
  children(): Piece[] {
    const { value } = this;
    if (Array.isArray(value)) return value.map((_, i) => this.at(i));
    return isRecord(value) ? Object.keys(value).map((key) => this.at(key)) : [];
  }

  /** Entries of a list; anything else is lost. An empty list is taken by this. */
  items(): Piece[] {
    if (!Array.isArray(this.value)) return this.#mismatch("a list") ?? [];
    if (this.value.length === 0) this.take();
    return this.children();
  }

  /** Entries of an object; anything else is lost. */
  entries(): [string, Piece][] {
    if (!isRecord(this.value)) return this.#mismatch("an object") ?? [];
    if (Object.keys(this.value).length === 0) this.take();
    return Object.keys(this.value).map((key) => [key, this.at(key)]);
  }

  text(): string | undefined {
    if (typeof this.value !== "string") return this.#mismatch("a text");
    this.take();
    return this.value;
  }

  number(): number | undefined {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) return this.#mismatch("a number");
    this.take();
    return this.value;
  }

  boolean(): boolean | undefined {
    if (typeof this.value !== "boolean") return this.#mismatch("true or false");
    this.take();
    return this.value;
  }

  /** The value itself; it is looked after with all that is in it. */
  take(): unknown {
    this.#reading.take(this.path);
    return this.value;
  }

  /** It is not in the document. */
  lose(sentence: string): undefined {
    if (this.isThere) this.#reading.report(this, "lost", sentence);
  }

  /** It is in the document, in another sense. */
  change(sentence: string): void {
    this.#reading.report(this, "changed", sentence);
  }

  /** It is kept where Greenlight does not use it. */
  keep(sentence: string): void {
    this.#reading.report(this, "kept", sentence);
  }

  #mismatch(expected: string): undefined {
    return this.lose(`Not ${expected}, and so not understood.`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A place, without the ids that are keys of our lists of overrides. */
function withoutPeople(path: Path): Path {
  return path.map((part, i) =>
    typeof part === "string" && KEYED_BY_PEOPLE.includes(String(path[i - 1])) ? "*" : part,
  );
}

/** Objects whose keys are ids. */
const KEYED_BY_PEOPLE = ["users", "tenants"];

/** A value, short, and without ids of people. */
function shown(value: unknown, path: Path): string {
  const text = textOf(value, path.filter((part) => typeof part === "string").map(String));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function textOf(value: unknown, path: readonly string[]): string {
  if (typeof value === "object" && ASKS_FOR_PEOPLE.test(JSON.stringify(value) ?? ""))
    return JSON.stringify(withoutIds(value, [...path, "users of a condition"]));
  if (typeof value === "string") return hides(value, path) ? `a text of ${value.length} characters` : value;
  const count = isRecord(value) ? Object.keys(value).length : Array.isArray(value) ? value.length : 0;
  if (isRecord(value) && KEYED_BY_PEOPLE.includes(path.at(-1) ?? "")) return `an object of ${count}`;
  if (Array.isArray(value) && value.some((inside) => hides(inside, path))) return `a list of ${count}`;
  return JSON.stringify(withoutIds(value, path)) ?? "nothing";
}

function withoutIds(value: unknown, path: readonly string[]): unknown {
  if (typeof value === "string" && hides(value, path)) return `${value.length} characters`;
  if (Array.isArray(value)) return value.map((inside) => withoutIds(inside, path));
  if (!isRecord(value)) return value;
  if (KEYED_BY_PEOPLE.includes(path.at(-1) ?? "")) return `an object of ${Object.keys(value).length}`;
  return Object.fromEntries(
    Object.entries(value).map(([key, inside]) => [key, withoutIds(inside, [...path, key])]),
  );
}

function hides(value: unknown, path: readonly string[]): boolean {
  if (typeof value !== "string") return false;
  return value.includes("@") || path.some((part) => NAMES_PEOPLE.test(part));
}
