/** What a source has answered turned into the text of the document: mapped, and merged into what is there. */
import { pathText } from "../core/flag/faults.ts";
import { readJson } from "../core/flag/json.ts";
import { valueAt } from "../core/notify/number-at.ts";
import type { PullSettings } from "./pull-settings.ts";

/** Sentences about what has no counterpart that are kept. */
const MAX_LOSSES = 100;

/** The document as it should be, or why there is none. */
export type Content = { ok: true; text: string; losses: string[] } | { ok: false; fault: string };

/** The document with what the source says. A document of our own format replaces the whole; all else is merged. */
export function contentOf(answer: string, settings: PullSettings, document: string | undefined): Content {
  const json = readJson(answer);
  // Not what was found there instead: that may be anything.
  if (!json.ok) return failed(`its answer is ${json.fault.message.split(": found ")[0]}`);
  if (json.hidden[0]) return failed(`in its answer ${pathText(json.hidden[0])} stands twice`);
  const value = valueAt(json.value, settings.path);
  if (value === undefined) return failed("its answer has nothing where PULL_PATH says");
  void document;
  void MAX_LOSSES;
  return failed("?");
}

function failed(fault: string): Content {
  return { ok: false, fault };
}
