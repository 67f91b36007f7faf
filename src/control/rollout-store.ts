/** The SQLite tables of the decision: the flags with their rollouts, the halts, the spec's text. */
import { type Flag, flagSchema } from "../core/flag/schema.ts";
import type { Progress } from "../core/rollout/progress.ts";
import { EVERY_RELEASE, type FlagStatus, type Halt } from "../core/rollout/snapshot.ts";
import type { PullState } from "./controller-api.ts";
import type { GatesMemory } from "./looking.ts";
import { type Adoption, NOBODY, type Rollout } from "./rollout.ts";

/** A row takes at most 2 MB; a longer text of a spec is not kept, only what was read in it. */
export const TEXT_BYTES = 1_900_000;

/** The scalar part of the decision, one row. */
type Head = Pick<Rollout, "revision" | "specHash" | "enabled" | "kill" | "faults" | "edits" | "notify">;

export class RolloutStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS flags (name TEXT PRIMARY KEY, flag TEXT NOT NULL, status TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, progress TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS gates (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS halt_rows (
        flag TEXT NOT NULL, release TEXT NOT NULL, cohort TEXT NOT NULL, action TEXT NOT NULL, halt TEXT NOT NULL,
        PRIMARY KEY (flag, release, cohort, action)) WITHOUT ROWID;
    `);
    this.#takeOver();
  }

  /** The decision; undefined in a store that has never held one. */
  loadRollout(): Rollout | undefined {
    const json = this.#value("head");
    if (json === undefined) return undefined;
    const head = JSON.parse(json) as Head;
    const flags = this.#sql
      .exec<{ name: string; flag: string; status: string }>("SELECT * FROM flags")
      .toArray();
    const halts = this.#sql.exec<{ halt: string }>("SELECT halt FROM halt_rows").toArray();
    const progress = this.#sql
      .exec<{ name: string; progress: string }>("SELECT name, progress FROM progress")
      .toArray();
    return {
      ...head,
      notify: head.notify ?? NOBODY,
      selected: new Map(
        flags.flatMap(({ name, status }) => {
          const { selected } = JSON.parse(status) as FlagStatus;
          return selected ? [[name, selected]] : [];
        }),
      ),
      wanting: new Map(),
      flags: new Map(flags.map(({ name, flag }) => [name, storedFlag(JSON.parse(flag))])),
      status: new Map(flags.map(({ name, status }) => [name, JSON.parse(status) as FlagStatus])),
      progress: new Map(progress.map((row) => [row.name, JSON.parse(row.progress) as Progress])),
      halts: halts.map(({ halt }) => JSON.parse(halt) as Halt).sort((a, b) => a.at - b.at),
    };
  }

  /** Writes down the scalar part: one row. */
  saveHead({ revision, specHash, enabled, kill, faults, edits, notify }: Rollout): void {
    const head: Head = { revision, specHash, enabled, kill, faults, edits, notify };
    this.#setValue("head", JSON.stringify(head));
  }

  /** Writes down the flags that an adoption has changed. */
  saveFlags(rollout: Rollout, { changed, removed }: Pick<Adoption, "changed" | "removed">): void {
    for (const name of removed) this.#sql.exec("DELETE FROM flags WHERE name = ?", name);
    for (const name of changed) {
      this.#sql.exec(
        `INSERT INTO flags (name, flag, status) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET flag = excluded.flag, status = excluded.status`,
        name,
        JSON.stringify(rollout.flags.get(name)),
        JSON.stringify(rollout.status.get(name)),
      );
    }
  }

  saveProgress(flag: string, progress: Progress): void {
    this.#sql.exec(
      "INSERT INTO progress (name, progress) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET progress = excluded.progress",
      flag,
      JSON.stringify(progress),
    );
  }

  deleteProgress(flag: string): void {
    this.#sql.exec("DELETE FROM progress WHERE name = ?", flag);
    this.#sql.exec("DELETE FROM gates WHERE name = ?", flag);
  }

  /** What the gates of each flag's stage remember. */
  loadGates(): [string, GatesMemory][] {
    return this.#sql
      .exec<{ name: string; memory: string }>("SELECT name, memory FROM gates")
      .toArray()
      .map(({ name, memory }) => [name, JSON.parse(memory) as GatesMemory]);
  }

  saveGates(flag: string, memory: GatesMemory): void {
    this.#sql.exec(
      "INSERT INTO gates (name, memory) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET memory = excluded.memory",
      flag,
      JSON.stringify(memory),
    );
  }

  /** Writes a halt down, over one of the same flag, release, cohort and action. */
  saveHalt(halt: Halt): void {
    this.#sql.exec(
      `INSERT INTO halt_rows (flag, release, cohort, action, halt) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (flag, release, cohort, action) DO UPDATE SET halt = excluded.halt`,
      halt.flag,
      halt.release,
      halt.cohort ?? "",
      halt.action,
      JSON.stringify(halt),
    );
  }

  /** Forgets the halts of a release, those of its cohorts and a kill included. */
  deleteHalts(flag: string, release: string): void {
    this.#sql.exec(
      "DELETE FROM halt_rows WHERE flag = ? AND release IN (?, ?)",
      flag,
      release,
      EVERY_RELEASE,
    );
  }

  /** The spec as it was written; undefined when it was too long to be kept. */
  text(): string | undefined {
    return this.#value("text");
  }

  /** Keeps the spec as it was written, unless it is too long for a row. */
  saveText(text: string): void {
    if (new TextEncoder().encode(text).length <= TEXT_BYTES) this.#setValue("text", text);
    else this.#sql.exec("DELETE FROM state WHERE key = 'text'");
  }

  /** Number of the last observation of the outbox that was taken. */
  observed(): number {
    return Number(this.#value("observed") ?? 0);
  }

  saveObserved(seq: number): void {
    this.#setValue("observed", String(seq));
  }

  /** When the snapshot was put into KV last: written down before each put, which so fails in a replaced object. */
  savePublishedAt(at: number): void {
    this.#setValue("publishedAt", String(at));
  }

  /** How the scheduled pull of a document stands; undefined before the first. */
  pullState(): PullState | undefined {
    const json = this.#value("pull");
    return json === undefined ? undefined : (JSON.parse(json) as PullState);
  }

  savePullState(state: PullState): void {
    this.#setValue("pull", JSON.stringify(state));
  }

  /** Halts of an earlier version, which knew rollbacks only. */
  #takeOver(): void {
    const old = this.#sql
      .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'halts'")
      .toArray();
    if (old.length === 0) return;
    this.#sql.exec(`
      INSERT OR IGNORE INTO halt_rows (flag, release, cohort, action, halt)
        SELECT flag, release, '', 'rollback', halt FROM halts;
      DROP TABLE halts;
    `);
  }

  #value(key: string): string | undefined {
    return this.#sql.exec<{ value: string }>("SELECT value FROM state WHERE key = ?", key).toArray()[0]
      ?.value;
  }

  #setValue(key: string, value: string): void {
    this.#sql.exec(
      "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }
}

/** A form that an older release has stored lacks the defaults of this one; one that this one would refuse goes on. */
function storedFlag(value: unknown): Flag {
  const parsed = flagSchema.safeParse(value);
  return parsed.success ? parsed.data : (value as Flag);
}
