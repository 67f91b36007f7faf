/** What a source has answered turned into the text of the document: mapped, and merged into what is there. */
import { pathText } from "../core/flag/faults.ts";
import { readJson } from "../core/flag/json.ts";
import { mergedText } from "../core/flag/merge-text.ts";
import { hasShape } from "../core/import/detect.ts";
import { importFrom } from "../core/import/import.ts";
import type { Loss, WrittenDocument } from "../core/import/imported.ts";
import { mergeInto } from "../core/import/merge.ts";
import { valueAt } from "../core/notify/number-at.ts";
import type { PullSettings } from "./pull-settings.ts";

/** Sentences about what has no counterpart that are kept. */
const MAX_LOSSES = 100;

/** The document as it should be, or why there is none. */
export type Content =
  | { ok: true; text: string; merged: boolean; losses: string[] }
  | { ok: false; fault: string };

/** The document with what the source says. One of our own format replaces the whole; all else is merged into `before`. */
export function contentOf(answer: string, settings: PullSettings, before: string | undefined): Content {
  const json = readJson(answer);
  // Not what was found there instead: that may be anything.
  if (!json.ok) return failed(`its answer is ${json.fault.message.split(": found ")[0]}`);
  if (json.hidden[0]) return failed(`in its answer ${pathText(json.hidden[0])} stands twice`);
  const { format, path, allowEmpty } = settings;
  const value = valueAt(json.value, path);
  if (value === undefined) return failed("its answer has nothing where PULL_PATH says");
  if (isNothing(value))
    return allowEmpty ? { ok: true, text: before ?? EMPTY, merged: true, losses: [] } : failed(NO_FLAG);
  // An importer makes the best of any file that it is given; what comes by itself may be a message of an error. Our own
  // documents are taken without faults only.
  if (format !== "auto" && format !== "greenlight" && !hasShape(format, value))
    return failed(`its answer has not the shape of ${format}`);
  const there = before === undefined ? { flags: {} } : documentIn(before);
  const imported = importFrom(format, { value }, { known: Object.keys(there?.flags ?? {}) });
  if (!imported.ok) return failed(refusalOf(imported));
  if (!allowEmpty && Object.keys(imported.document.flags).length === 0) return failed(NO_FLAG);
  if (imported.format === "greenlight") {
    const text = path === "$" ? answer : JSON.stringify(value, null, 2);
    return { ok: true, text, merged: false, losses: [] };
  }
  if (!there) return failed(UNCHANGEABLE);
  const { document, losses } = mergeInto(there, imported);
  const text = mergedText(before ?? EMPTY, document);
  if (text === undefined) return failed(UNCHANGEABLE);
  const all = [...imported.losses, ...losses];
  return { ok: true, text, merged: true, losses: all.slice(0, MAX_LOSSES).map(lossOf) };
}

/** The document where there is none yet. */
const EMPTY = '{\n  "flags": {}\n}\n';

const NO_FLAG = "it has no flag: PULL_ALLOW_EMPTY says that this may be";

const UNCHANGEABLE = "the document cannot be changed: put one that is JSON, with an object called flags";

/** The document of a text; undefined where a person has put something else. */
function documentIn(text: string): WrittenDocument | undefined {
  const json = readJson(text);
  if (!json.ok || !isObject(json.value) || !isObject(json.value.flags)) return undefined;
  return json.value as WrittenDocument;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function refusalOf({ sentence, path }: { sentence: string; path: string }): string {
  const words = sentence.replace("--format", "PULL_FORMAT");
  return path === "" ? words : `${path}: ${words}`;
}

function lossOf({ path, kind, sentence }: Loss): string {
  return `${path} (${kind}): ${sentence}`;
}

function failed(fault: string): Content {
  return { ok: false, fault };
}
