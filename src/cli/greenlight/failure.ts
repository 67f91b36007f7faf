/** What can go wrong in a command, as a value, and the one place that turns it into terminal text. */
import type { Fault } from "../../core/rollout/snapshot.ts";
import { EXIT, type Exit } from "./exit.ts";

/** An expected failure. `hint` is what to do about it. */
export interface Failure {
  exit: Exit;
  /** What went wrong, one sentence. */
  sentence: string;
  /** Where: a path in the document, an address. */
  where?: string | undefined;
  hint?: string | undefined;
  faults?: readonly Fault[] | undefined;
  /** Stable name of the API's problem: `urn:greenlight:problem:…`. */
  type?: string | undefined;
  /** Status of the API's answer. */
  status?: number | undefined;
}

/** Ends a command from wherever it is; only `main.ts` catches it. */
export class Stopped extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.sentence);
    this.failure = failure;
  }
}

/** Ends the command with a failure. */
export function stop(failure: Failure): never {
  throw new Stopped(failure);
}

/** The command itself is wrong. */
export function misused(sentence: string, hint?: string): never {
  return stop({ exit: EXIT.usage, sentence, hint });
}

/** Colours of a failure's text. */
interface Paint {
  red(text: string): string;
  dim(text: string): string;
}

/** Most faults that are written out one by one. */
const MAX_FAULTS = 20;

/** A failure as people read it, several lines. */
export function failureText(failure: Failure, paint: Paint): string {
  const { sentence, where, faults = [], hint } = failure;
  const lines = [`${paint.red("✗")} ${sentence}`];
  if (where !== undefined) lines.push(`  ${paint.dim("where:")} ${where}`);
  for (const { path, message, expected } of faults.slice(0, MAX_FAULTS)) {
    // Most messages hold what was expected; the others have it beside them.
    const wanted = expected && !message.includes(expected) ? `; expected ${expected}` : "";
    lines.push(`  ${paint.dim("•")} ${path || "(document)"}: ${message}${wanted}`);
  }
  if (faults.length > MAX_FAULTS) lines.push(`  … and ${faults.length - MAX_FAULTS} more`);
  if (hint !== undefined) lines.push(`  ${paint.dim("→")} ${hint}`);
  return lines.join("\n");
}

/** A failure for scripts: one JSON object. */
export function failureJson({ exit, sentence, ...more }: Failure): string {
  return JSON.stringify({ error: { exit, sentence, ...more } }, null, 2);
}
