/** The files of other systems that tests read, parsed; and ways to change a value in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSource } from "../../../src/cli/greenlight/read-source.ts";
import { importFrom } from "../../../src/core/import/import.ts";
import type { Format, Imported } from "../../../src/core/import/imported.ts";

const FOLDER = join(import.meta.dirname, "../../../fixtures/import");

export type Step = string | number;
export type Good = Extract<Imported, { ok: true }>;

/** One file. */
export interface Fixture {
  file: string;
  value: unknown;
}

/** Every file, parsed as the command line does. */
export const FIXTURES: Fixture[] = await Promise.all(
  readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("."))
    .sort()
    .map(async (file) => {
      const read = await parseSource(readFileSync(join(FOLDER, file), "utf8"), file);
      if (!read.ok) throw new Error(`${file}: ${read.sentence}`);
      return { file, value: read.source.value };
    }),
);

/** The value of one file. */
export function fixture(name: string): unknown {
  const found = FIXTURES.find(({ file }) => file === name);
  if (!found) throw new Error(`no fixture ${name}`);
  return found.value;
}

/** What a value comes to; a refusal fails the test. */
export function imported(value: unknown, format: Format | "auto" = "auto", known: string[] = []): Good {
  const result = importFrom(format, { value }, { known });
  if (!result.ok) throw new Error(`${result.path}: ${result.sentence}`);
  return result;
}

/** Places of all values that are no objects or lists. */
export function leavesOf(value: unknown, path: Step[] = []): Step[][] {
  if (typeof value !== "object" || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return keys.flatMap((key) => leavesOf((value as Record<Step, unknown>)[key], [...path, key]));
}

/** Places of all objects. */
export function objectsOf(value: unknown, path: Step[] = []): Step[][] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  const inside = keys.flatMap((key) => objectsOf((value as Record<Step, unknown>)[key], [...path, key]));
  return Array.isArray(value) ? inside : [path, ...inside];
}

export function valueAt(value: unknown, path: readonly Step[]): unknown {
  return path.reduce((here, step) => (here as Record<Step, unknown>)[step], value);
}

/** A copy with another value at a place. */
export function withValue(value: unknown, path: readonly Step[], next: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return next;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<Step, unknown>;
  copy[step] = withValue(copy[step], rest, next);
  return copy;
}
