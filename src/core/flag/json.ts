/**
 * Reads JSON that people write by hand: says line and column of a slip, and finds the keys that plain parsing hides,
 * because they stand twice in one object (the last would win in silence) or are called `__proto__`.
 */
import type { Fault } from "../rollout/snapshot.ts";

/** Where something stands in a document: keys and list indexes, outermost first. */
export type Path = readonly PropertyKey[];

/** What was read, or the fault that kept it from being read. */
export type JsonText = { ok: true; value: unknown; hidden: Path[] } | { ok: false; fault: Fault };

/** Paths of hidden keys that are kept: nobody mends more in one go. */
const MAX_HIDDEN = 100;

/** Characters shown of what was found instead. */
const SHOWN = 12;

/** Reads a text. A byte order mark at its start is skipped. Never throws, however deep the nesting. */
export function readJson(text: string): JsonText {
  const json = text.startsWith("\ufeff") ? text.slice(1) : text;
  const scanner = new Scanner(json);
  const slip = scanner.run();
  if (slip) return { ok: false, fault: faultOf(json, slip) };
  return { ok: true, value: JSON.parse(json), hidden: scanner.hidden };
}

function faultOf(text: string, { at, expected }: Slip): Fault {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  const column = at - before.lastIndexOf("\n");
  const word =
    /^[\w.+-]+/.exec(text.slice(at, at + SHOWN))?.[0] ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
  const found = at >= text.length ? "the text ends" : `found ${JSON.stringify(word)}`;
  return { path: "", message: `not JSON: line ${line}, column ${column}: ${found}`, expected };
}

interface Slip {
  at: number;
  expected: string;
}

/** An object or list that is still open. */
interface Frame {
  /** Keys seen; undefined for a list. */
  keys: Set<string> | undefined;
  /** Key or index of the member that is being read. */
  here: string | number;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** One pass over the text. It keeps a stack of its own, for deep nesting would overflow the machine's. */
class Scanner {
  readonly hidden: Path[] = [];
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first slip, or undefined when the text is JSON. */
  run(): Slip | undefined {
    let want: "value" | "key" | "next" = "value";
    for (;;) {
      this.#skipSpace();
      const char = this.#text[this.#at];
      const frame = this.#frames.at(-1);
      if (want === "value" && (char === "{" || char === "[")) {
        want = this.#open(char);
      } else if (want === "value") {
        const slip = char === '"' ? this.#string() : this.#scalar();
        if (slip) return slip;
        want = "next";
      } else if (!frame) {
        return char === undefined ? undefined : this.#slip("the end of the text");
      } else if (want === "key") {
        const slip = this.#key(frame, frame.keys ?? new Set());
        if (slip) return slip;
        want = "value";
      } else if (char === (frame.keys ? "}" : "]")) {
        this.#at++;
        this.#frames.pop();
      } else if (char === ",") {
        this.#at++;
        if (!frame.keys) frame.here = Number(frame.here) + 1;
        want = frame.keys ? "key" : "value";
      } else {
        return this.#slip(frame.keys ? "a comma or }" : "a comma or ]");
      }
    }
  }

  #open(bracket: "{" | "["): "value" | "key" | "next" {
    this.#at++;
    this.#skipSpace();
    this.#frames.push({ keys: bracket === "{" ? new Set() : undefined, here: 0 });
    if (this.#text[this.#at] === (bracket === "{" ? "}" : "]")) return "next";
    return bracket === "{" ? "key" : "value";
  }

  #key(frame: Frame, seen: Set<string>): Slip | undefined {
    const start = this.#at;
    if (this.#text[start] !== '"')
      return this.#slip("a key in double quotes (no comma may follow the last member)");
    const slip = this.#string();
    if (slip) return slip;
    const key = String(JSON.parse(this.#text.slice(start, this.#at)));
    frame.here = key;
    if ((key === "__proto__" || seen.has(key)) && this.hidden.length < MAX_HIDDEN) {
      this.hidden.push(this.#frames.map((f) => f.here));
    }
    seen.add(key);
    this.#skipSpace();
    if (this.#text[this.#at] !== ":") return this.#slip("a colon");
    this.#at++;
    return undefined;
  }

  #scalar(): Slip | undefined {
    return this.#take(NUMBER) || this.#take(LITERAL) ? undefined : this.#slip("a value");
  }

  /** A string, whose opening quote is next. */
  #string(): Slip | undefined {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code))
        return { at: this.#at, expected: `the end of the string that opens at character ${start + 1}` };
      if (code < 0x20)
        return this.#slip("a string on one line, control characters written as \\n or \\u0000");
      if (code === 0x22) break;
      if (code !== 0x5c) this.#at++;
      else if (!this.#take(ESCAPE))
        return this.#slip('an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits');
    }
    this.#at++;
    return undefined;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #slip(expected: string): Slip {
    return { at: this.#at, expected };
  }
}
