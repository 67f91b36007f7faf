/**
 * What this isolate knows: the newest snapshot, the flag document in KV and the kill key, and the routing table made
 * of them. It takes what it is given and never goes back to a lower revision; it does no I/O.
 */
import type { EvaluationView } from "../core/api/views.ts";
import { compileTable } from "../core/flag/compile.ts";
import { envOverrides } from "../core/flag/env-overrides.ts";
import { type ParsedDocument, parseDocument } from "../core/flag/parse.ts";
import type { Table } from "../core/flag/table.ts";
import { hashText } from "../core/hashing/text.ts";
import {
  ALONE_AFTER_MS,
  type EffectiveFlag,
  effectiveFlags,
  isPending,
  type KvDocument,
} from "../core/rollout/effective.ts";
import type { Fault, Snapshot } from "../core/rollout/snapshot.ts";
import type { SeenEdit } from "../core/wire/messages.ts";
import { bundledFlags } from "./bundled.ts";
import type { Config } from "./config.ts";
import { isSnapshot, type KvTexts, parseSnapshot } from "./kv.ts";
import { log, wordsOf } from "./log.ts";

/** A failed ask older than this says nothing about now: the isolate was idle. */
const FAILURE_FRESH_MS = 60_000;

export class Knowing {
  /** The routing table; empty until something is known. */
  table: Table = compileTable([]);
  /** Is any flag in shadow or canary? Then counts are wanted soon. */
  watching = false;
  snapshot: Snapshot | undefined;
  /** Faults of variables that override flags. */
  envFaults: readonly Fault[] = [];
  /** When a shard last answered this isolate, milliseconds since the epoch. */
  heardAt: number | undefined;
  /** When KV was last read well, milliseconds since the epoch. */
  kvAt: number | undefined;
  /** Where the table comes from. */
  origin: "nothing" | "spec" | "bundle" = "nothing";
  /** The hand edit in KV that no snapshot knows of yet. */
  edit: (SeenEdit & { text: string }) | undefined;

  /** What the Worker's variables say that bears upon flags. Undefined until the first request. */
  #surroundings: Pick<Config, "environment" | "overrides" | "adminHosts"> | undefined;
  /** Faults of the text that KV holds now. */
  #textFaults: readonly Fault[] = [];
  #document: KvDocument | undefined;
  /** Text and revision of what KV held at the last read, good or not. */
  #flagsText: string | undefined;
  #flagsRevision: number | undefined;
  /** Undefined until KV has been read: until then the snapshot says what the controller has read there. */
  #killText: string | undefined;
  #snapshotText: string | undefined;
  /** Since when shards do not answer; undefined while they do. */
  #failingSince: number | undefined;
  #failedAt = 0;
  #alone = false;

  /** Revision held; 0 for none. */
  get revision(): number {
    return this.snapshot?.revision ?? 0;
  }

  /** Faults of the text that KV holds now, and of variables that override flags. */
  get faults(): readonly Fault[] {
    return this.envFaults.length === 0 ? this.#textFaults : [...this.#textFaults, ...this.envFaults];
  }

  /** Where the answer about a flag comes from. */
  sourceOf(flag: string): EvaluationView["source"] {
    const served = this.table.flags.get(flag);
    if (served?.forced !== undefined) return "env";
    return served === undefined ? "default" : this.source;
  }

  /** Where all flags come from that no variable overrides. */
  get source(): "kv" | "bundle" | "default" {
    return this.origin === "spec" ? "kv" : this.origin === "bundle" ? "bundle" : "default";
  }

  /** Takes the name of the environment, and the variables that override flags. To be called before anything else. */
  takeConfig({ environment, overrides, adminHosts }: Config): void {
    this.#surroundings = { environment, overrides, adminHosts };
  }

  /** Takes what was read in KV. Texts that are as before cost a comparison. */
  takeKv(texts: KvTexts, now: number): void {
    this.kvAt = now;
    let changed = this.#takeDocument(texts.flags, texts.revision, now);
    const kill = texts.kill ?? "";
    if (kill !== this.#killText) {
      this.#killText = kill;
      changed = true;
    }
    changed = this.#takeSnapshotText(texts.snapshot, texts.snapshotRevision) || changed;
    this.rebuild(now, changed);
  }

  /** Takes an answer of a shard. */
  takeAnswer(snapshot: unknown, now: number): void {
    this.heardAt = now;
    this.#failingSince = undefined;
    this.rebuild(now, snapshot !== undefined && isSnapshot(snapshot) && this.#takeSnapshot(snapshot));
  }

  /** Notes that a shard did not answer. */
  noteSilence(now: number): void {
    this.#failingSince ??= now;
    this.#failedAt = now;
  }

  /** KV cannot be read and no shard has answered: the document of the build, if there is nothing better. */
  useBundle(now: number): void {
    if (this.origin === "nothing") this.rebuild(now, true);
  }

  /** Makes the table anew when something has changed, also when it is time to act without a shard. */
  rebuild(now: number, changed: boolean): void {
    const heardAt = this.#answeredAt(now);
    const alone = now - heardAt >= ALONE_AFTER_MS;
    if (!changed && alone === this.#alone) return;
    this.#alone = alone;
    try {
      const flags = this.#flags(heardAt, now);
      this.table = compileTable(this.#overridden(flags), this.#surroundings?.adminHosts);
      this.origin = this.snapshot || this.#document ? "spec" : flags.length > 0 ? "bundle" : "nothing";
      this.watching = flags.some(({ spec }) => spec.state === "shadow" || spec.state === "canary");
    } catch (error) {
      // The last table goes on: traffic does not fail because a document surprises us.
      log("error", "table-not-built", { error: wordsOf(error) });
    }
    if (this.edit && !this.#isUnknownEdit()) this.edit = undefined;
  }

  /** Sources in order: what KV and shards say, else the document of the build. */
  #flags(heardAt: number, now: number): EffectiveFlag[] {
    const { snapshot } = this;
    const document = this.#document;
    const environment = this.#surroundings?.environment;
    if (!snapshot && !document) return bundledFlags(undefined, environment);
    const kill = this.#killText ?? snapshot?.kill ?? "";
    return effectiveFlags({ snapshot, document, kill, environment, heardAt, now });
  }

  #overridden(flags: EffectiveFlag[]): EffectiveFlag[] {
    const overrides = this.#surroundings?.overrides;
    if (overrides === undefined) return flags;
    const { flags: overridden, faults } = envOverrides(overrides, flags);
    this.envFaults = faults;
    if (faults.length > 0) log("warn", "env-overrides-faulty", { faults });
    return overridden;
  }

  #takeDocument(text: string | undefined, revision: number | undefined, now: number): boolean {
    if (text === undefined || (text === this.#flagsText && revision === this.#flagsRevision)) return false;
    const older =
      revision !== undefined && this.#flagsRevision !== undefined && revision < this.#flagsRevision;
    if (older) return false;
    this.#flagsRevision = revision;
    const hash = hashText(text);
    if (text !== this.#flagsText) {
      this.#flagsText = text;
      const parsed = parseDocument(text);
      this.#textFaults = parsed.faults;
      const readable = parsed.flags.size > 0 || parsed.broken.size > 0 || parsed.faults.length === 0;
      // A text that cannot be read at all changes nothing but that it is reported.
      if (readable) this.#document = { hash, revision, parsed: this.#withLastGood(parsed) };
    } else if (this.#document?.hash === hash) {
      this.#document = { ...this.#document, revision };
    }
    this.edit = { hash, at: now, text };
    if (!this.#isUnknownEdit()) this.edit = undefined;
    return true;
  }

  /** Broken flags keep the form that they had in the text before. */
  #withLastGood(parsed: ParsedDocument): ParsedDocument {
    const before = this.#document?.parsed.flags;
    if (before) {
      for (const name of parsed.broken.keys()) {
        const good = before.get(name);
        if (good) parsed.flags.set(name, good);
      }
    }
    return parsed;
  }

  /** A text that is as before, or that by its metadata is no newer than what a shard has given, is not even parsed. */
  #takeSnapshotText(text: string | undefined, revision: number | undefined): boolean {
    if (text === undefined || text === this.#snapshotText) return false;
    this.#snapshotText = text;
    if (revision !== undefined && this.snapshot && revision <= this.snapshot.revision) return false;
    const snapshot = parseSnapshot(text);
    if (!snapshot) log("warn", "snapshot-unreadable");
    return snapshot !== undefined && this.#takeSnapshot(snapshot);
  }

  #takeSnapshot(snapshot: Snapshot): boolean {
    if (this.snapshot && snapshot.revision <= this.snapshot.revision) return false;
    this.snapshot = snapshot;
    return true;
  }

  #isUnknownEdit(): boolean {
    if (!this.edit || this.#flagsRevision !== undefined) return false;
    const document = this.#document?.hash === this.edit.hash ? this.#document : undefined;
    return document ? isPending(document, this.snapshot) : this.edit.hash !== this.snapshot?.specHash;
  }

  #answeredAt(now: number): number {
    const silent = this.#failingSince !== undefined && now - this.#failedAt < FAILURE_FRESH_MS;
    return silent ? this.#failingSince! : now;
  }
}
