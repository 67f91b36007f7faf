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

/** What is read: the values of a file after its text was parsed. */
export interface Source {
  /** Parsed JSON or YAML, rows of a CSV file, or variables by name. */
  value: unknown;
  /** Name of the file, for messages. */
  name?: string | undefined;
}

/** What a file does not say itself. */
export interface ImportOptions {
  /** Names of flags that are there already: dependencies may name them, and variables mean them by their exact name. */
  known?: readonly string[] | undefined;
  /** Flag that a file without names of flags is about, such as a list of stages. */
  flag?: string | undefined;
}

/** Something that the document cannot say, or says otherwise. Nothing of a file is left out without one. */
export interface Loss {
  /** Where in the source: `flags.new-feature.rules[1]`. */
  path: string;
  /** What stands there, shortened. Ids of people are not shown. */
  value: string;
  /** `lost`: not in the document; `changed`: in it, but in another sense; `kept`: under `metadata` or in notes only. */
  kind: "lost" | "changed" | "kept";
  /** Why, and what to do about it. */
  sentence: string;
}

/** A flag as it is written. */
export interface WrittenFlag {
  [key: string]: Value;
}

/** A document as it is written, not yet with defaults. */
export interface WrittenDocument {
  groups?: Record<string, string[]>;
  flags: Record<string, WrittenFlag>;
  [key: string]: unknown;
}

/** Names of fields by flag; of an object with a dot: `cohorts.beta`; `cohorts.beta-*` are all that begin so. */
export type FieldsOf = Record<string, string[]>;

export type Imported =
  | {
      ok: true;
      format: Format;
      document: WrittenDocument;
      losses: Loss[];
      /** Fields that the source says nothing of; they only make the flag whole, and a merge leaves what is there. */
      assumed: FieldsOf;
      /** Fields that the source denies by leaving them out: a merge takes them away. */
      absent: FieldsOf;
    }
  | { ok: false; sentence: string; path: string };

/** A document in another system's form. */
export interface Exported {
  format: Format;
  /** As JSON; of variables an object of texts. */
  value: unknown;
  /** What goes into the file. */
  text: string;
  /** What the other form cannot say. */
  losses: Loss[];
}
