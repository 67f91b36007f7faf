/** What a command prints: tables and sentences for people, JSON for scripts; nothing that only a terminal understands elsewhere. */
import pc from "picocolors";
import { safeText } from "./safe-text.ts";

/** Columns of something that is no terminal. */
const WIDTH = 100;
/** Narrower than this no table can be read. */
const LEAST_WIDTH = 40;

/** Colours of one stream. */
export type Paint = ReturnType<typeof pc.createColors>;

/** What decides how it looks. */
export interface Look {
  json: boolean;
  quiet: boolean;
  color: boolean;
}

/** The two streams of a command. Results go to stdout; progress, questions and remarks to stderr. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Are there a person's eyes at both ends? Only then may it ask, and draw over what is there. */
  readonly interactive: boolean;
  /** Colours of stdout and of stderr. */
  readonly paint: Paint;
  readonly paintErr: Paint;

  constructor({ json, quiet, color }: Look, env: NodeJS.ProcessEnv = process.env) {
    const may = color && !env.NO_COLOR && env.TERM !== "dumb";
    this.json = json;
    this.quiet = quiet;
    this.interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
    this.paint = pc.createColors(may && process.stdout.isTTY === true);
    this.paintErr = pc.createColors(may && process.stderr.isTTY === true);
  }

  /** Columns that a table may have. */
  get width(): number {
    return Math.max(process.stdout.columns ?? WIDTH, LEAST_WIDTH);
  }

  /** A result: `text` for people (made only then), `value` for scripts. */
  show(value: unknown, text: () => string): void {
    const said = this.json ? JSON.stringify(value, null, 2) : text();
    if (said !== "") this.#print(said);
  }

  /** One of many results of a command that goes on: a line each. */
  line(value: unknown, text: () => string): void {
    this.#print(this.json ? JSON.stringify(value) : text());
  }

  /** Something besides, on stderr: what was done and what it means. Not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.remark(text);
  }

  /** Something that must not be missed, on stderr, with `--quiet` too. */
  warn(text: string): void {
    this.remark(`${this.paintErr.yellow("!")} ${text}`);
  }

  /** A line on stderr, whatever was asked for. */
  remark(text: string): void {
    process.stderr.write(`${safeText(text, this.paintErr.isColorSupported)}\n`);
  }

  /** A file or a script gets each character as it is. */
  #print(text: string): void {
    const isSeen = process.stdout.isTTY === true;
    process.stdout.write(`${isSeen ? safeText(text, this.paint.isColorSupported) : text}\n`);
  }
}
