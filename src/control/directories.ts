/**
 * The directories of tenants that flags choose cohorts from: read from KV beside everything else, kept in their last
 * good form. Choosing is done here, once, so that every isolate has the same tenants.
 */
import type { Directory } from "../core/flag/cohort.ts";
import { saltOf } from "../core/flag/compile.ts";
import { directoriesOf, directoryKey, parseDirectory } from "../core/flag/directory.ts";
import type { Flag } from "../core/flag/schema.ts";
import { type Selected, selectTenants } from "../core/flag/select.ts";
import { seedOf } from "../core/hashing/bucket.ts";
import { hashText } from "../core/hashing/text.ts";
import type { Fault } from "../core/rollout/snapshot.ts";
import { within } from "./within.ts";

/** A read that takes longer has failed, milliseconds. */
const KV_MS = 10_000;
/** Keys that KV reads in one call. */
const KEYS_PER_READ = 100;
/** Characters of a text in one row: with what escaping adds they stay below the 2 MB that a row takes. */
const ROW_CHARACTERS = 250_000;
/** Faults of a directory that are kept and told. */
const SHOWN_FAULTS = 20;

/** A directory as it is known. */
interface Known {
  /** The last good form; undefined before the first. */
  directory: Directory | undefined;
  /** Hash of the text of the last good form. */
  hash: string;
  /** Hash of the text that was read last; empty while there is none. */
  readHash: string;
  /** What is wrong with what was read last. */
  faults: Fault[];
}

/** Tenants of a flag's cohorts. */
export interface SelectedOf {
  /** By cohort; for `FlagStatus.selected`. Undefined where no cohort chooses any. */
  selected: Record<string, string[]> | undefined;
  /** What could not be met: `cohort beta: size large: 3 of 10 wanted`. */
  unmet: string[];
  /** Directories that are missing or broken, by where the flag names them. */
  faults: Fault[];
}

export class Directories {
  readonly #kv: KVNamespace;
  readonly #sql: SqlStorage;
  readonly #known = new Map<string, Known>();
  /** Chosen before, by what they were chosen from. */
  readonly #chosen = new Map<string, { from: string; chosen: Selected }>();

  constructor(kv: KVNamespace, storage: DurableObjectStorage) {
    this.#kv = kv;
    this.#sql = storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS directories (name TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (name, part)) WITHOUT ROWID",
    );
    const texts = new Map<string, string>();
    for (const { name, text } of this.#sql.exec<{ name: string; text: string }>(
      "SELECT name, text FROM directories ORDER BY name, part",
    ))
      texts.set(name, (texts.get(name) ?? "") + (JSON.parse(text) as string));
    for (const [name, text] of texts) {
      const read = parseDirectory(text);
      const hash = hashText(text);
      if (read.ok) this.#known.set(name, { directory: read.directory, hash, readHash: hash, faults: [] });
    }
  }

  /**
   * Reads the directories that the flags name. True when one of them is another than before, or has other faults, so
   * that `selectedOf` may answer differently. A read that fails changes nothing, and rejects.
   */
  async read(flags: Iterable<Flag>): Promise<boolean> {
    const names = [...directoriesOf(flags)];
    const texts = new Map<string, string | undefined>();
    for (let i = 0; i < names.length; i += KEYS_PER_READ) {
      const some = names.slice(i, i + KEYS_PER_READ);
      const found = await within(this.#kv.get(some.map(directoryKey), "text"), KV_MS, "KV read");
      for (const name of some) texts.set(name, found.get(directoryKey(name)) ?? undefined);
    }
    let changed = false;
    for (const name of this.#known.keys()) if (!texts.has(name)) this.#forget(name);
    for (const [name, text] of texts) changed = this.#take(name, text) || changed;
    return changed;
  }

  /** The tenants of a flag's cohorts, by what is known of the directories now. */
  selectedOf(flag: string, spec: Flag): SelectedOf {
    const selected: Record<string, string[]> = {};
    const [unmet, faults]: [string[], Fault[]] = [[], []];
    const seed = seedOf(saltOf(flag, spec));
    for (const [cohort, { select }] of Object.entries(spec.cohorts)) {
      if (select === undefined) continue;
      const known = this.#known.get(select.directory);
      faults.push(...faultsOf(known).map((fault) => at(flag, cohort, select.directory, fault)));
      selected[cohort] = [];
      if (known?.directory === undefined) continue;
      const key = `${flag}|${cohort}`;
      const from = JSON.stringify([known.hash, seed, select]);
      let chosen = this.#chosen.get(key);
      if (chosen?.from !== from) {
        chosen = { from, chosen: selectTenants(known.directory, select, seed) };
        this.#chosen.set(key, chosen);
      }
      selected[cohort] = chosen.chosen.tenants;
      unmet.push(...chosen.chosen.unmet.map((sentence) => `cohort ${cohort}: ${sentence}`));
    }
    return { selected: Object.keys(selected).length > 0 ? selected : undefined, unmet, faults };
  }

  #take(name: string, text: string | undefined): boolean {
    const known = this.#known.get(name) ?? {
      directory: undefined,
      hash: "",
      readHash: "",
      faults: [MISSING],
    };
    const isNew = !this.#known.has(name);
    this.#known.set(name, known);
    const readHash = text === undefined ? "" : hashText(text);
    if (!isNew && readHash === known.readHash) return false;
    known.readHash = readHash;
    if (text === undefined) {
      known.faults = [MISSING];
      return true;
    }
    const read = parseDirectory(text);
    known.faults = read.ok ? [] : read.faults.slice(0, SHOWN_FAULTS);
    if (read.ok && readHash !== known.hash) {
      known.directory = read.directory;
      known.hash = readHash;
      this.#save(name, text);
    }
    return true;
  }

  #save(name: string, text: string): void {
    this.#sql.exec("DELETE FROM directories WHERE name = ?", name);
    for (let part = 0; part * ROW_CHARACTERS < text.length; part++) {
      // As a JSON string, for a cut may part the two halves of a character.
      const piece = JSON.stringify(text.slice(part * ROW_CHARACTERS, (part + 1) * ROW_CHARACTERS));
      this.#sql.exec("INSERT INTO directories (name, part, text) VALUES (?, ?, ?)", name, part, piece);
    }
  }

  #forget(name: string): void {
    this.#known.delete(name);
    this.#sql.exec("DELETE FROM directories WHERE name = ?", name);
  }
}

const MISSING: Fault = { path: "", message: "missing", expected: "a directory document" };

function faultsOf(known: Known | undefined): Fault[] {
  return known === undefined
    ? [{ ...MISSING, message: "not read yet" }]
    : known.faults.map((fault) =>
        known.directory === undefined
          ? fault
          : { ...fault, message: `${fault.message} (its last good form is in use)` },
      );
}

function at(flag: string, cohort: string, directory: string, { path, message, expected }: Fault): Fault {
  const place = path === "" ? "" : `, ${path}`;
  return {
    path: `flags.${flag}.cohorts.${cohort}.select.directory`,
    message: `directory ${directory}${place}: ${message}`,
    expected,
  };
}
