/** Files of other systems, parsed: JSON with comments, YAML, CSV and environment variables, from disk or stdin. */
import { extname } from "node:path";
import { parseEnv } from "node:util";
import { stripComments } from "jsonc-parser";
import { pathText } from "../../core/flag/faults.ts";
import { readJson } from "../../core/flag/json.ts";
import type { Source } from "../../core/import/imported.ts";

/** Ways in which a text may be written. */
export const WRITTEN_AS = ["json", "yaml", "csv", "env"] as const;
export type WrittenAs = (typeof WRITTEN_AS)[number];

/** What was read; or why it was not, and where. */
export type ReadSource = { ok: true; source: Source } | { ok: false; sentence: string };

const BY_EXTENSION: Readonly<Record<string, WrittenAs>> = {
  ".json": "json",
  ".jsonc": "json",
  ".yaml": "yaml",
  ".yml": "yaml",
  ".csv": "csv",
  ".env": "env",
};

/** Parses a text. How it is written follows from the file's name, or else from how it begins. */
export async function parseSource(text: string, file: string, as?: WrittenAs): Promise<ReadSource> {
  const plain = text.replace(/^\ufeff/, "");
  switch (as ?? BY_EXTENSION[extname(file)] ?? (/^\.env(\.|$)/.test(base(file)) ? "env" : guess(plain))) {
    case "json":
      return json(plain, file);
    case "yaml":
      return await yaml(plain, file);
    case "csv":
      return await csv(plain, file);
    default:
      return { ok: true, source: { value: { ...parseEnv(plain) }, name: base(file) } };
  }
}

function base(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** How a text without a telling name is written. */
function guess(text: string): WrittenAs {
  const [first = ""] = text.split("\n").filter((line) => line.trim() !== "" && !/^\s*#/.test(line));
  if (/^\s*(\{|\[|\/\/|\/\*)/.test(first)) return "json";
  if (/^\s*(export\s+)?[A-Za-z_]\w*\s*=/.test(first)) return "env";
  return /^[^:]*,[^:]*$/.test(first) ? "csv" : "yaml";
}

/** JSON, of which runbooks say in a comment at the top what it is called. */
function json(text: string, file: string): ReadSource {
  const [, name] = /^\s*\/\/\s*(\S+)\s*$/m.exec(text.slice(0, text.search(/[[{]/) + 1)) ?? [];
  const read = readJson(stripComments(text, " "));
  if (!read.ok) return { ok: false, sentence: `${read.fault.message}; ${read.fault.expected} was expected.` };
  const [twice] = read.hidden;
  if (twice !== undefined) return { ok: false, sentence: `${pathText(twice)} stands twice in one object.` };
  return { ok: true, source: { value: read.value, name: name ?? base(file) } };
}

async function yaml(text: string, file: string): Promise<ReadSource> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const [what = ""] = error.message.split("\n");
    return { ok: false, sentence: `not YAML${line === undefined ? "" : `: line ${line}`}: ${what}` };
  }
  try {
    // Aliases that unfold into more than this are an attack, and no file of flags.
    return { ok: true, source: { value: document.toJS({ maxAliasCount: 100 }), name: base(file) } };
  } catch (cause) {
    return { ok: false, sentence: `not YAML: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

/** Rows by the names of the first line; an empty cell is nothing. */
async function csv(text: string, file: string): Promise<ReadSource> {
  const { CsvError, parse } = await import("csv-parse/sync");
  try {
    const value: unknown = parse(text, {
      columns: true,
      skip_empty_lines: true,
      trim: true,
      cast: (cell) => (cell === "" ? null : cell),
    });
    return { ok: true, source: { value, name: base(file) } };
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    return { ok: false, sentence: `not CSV: ${cause.message}` };
  }
}
