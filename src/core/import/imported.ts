/** What comes of another system's file: a flag document, and all of it that has no counterpart here. */
import type { Value } from "../flag/schema.ts";

/** Formats that are read. */
export const FORMATS = [
  "greenlight",
  "ecotrips",
  "orca-env",
  "orca-rows",
  "togetheros",
  "canary-plan",
  "canary-alerts",
  "thorbis",
  "flagd",
  "unleash",
] as const;
export type Format = (typeof FORMATS)[number];

/** Something that the document cannot say, or says otherwise. Nothing of a file is left out without one. */
export interface Loss {
  /** Where in the source: `flags.new-feature.rules[1]`. */
  path: string;
  /** What stands there, shortened. */
  value: string;
  /** `lost`: not in the document; `changed`: in it, but in another sense; `kept`: under `metadata` or in notes only. */
  kind: "lost" | "changed" | "kept";
  /** Why, and what to do about it. */
  sentence: string;
}

/** A document as it is written, not yet with defaults. */
export interface WrittenDocument {
  groups?: Record<string, string[]>;
  flags: Record<string, { [key: string]: Value }>;
  [key: string]: unknown;
}

export type Imported =
  | { ok: true; format: Format; document: WrittenDocument; losses: Loss[] }
  | { ok: false; sentence: string; path: string };
