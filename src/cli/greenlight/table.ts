/** Tables that fit the terminal, and numbers and times as people read them. */
import Table from "cli-table3";
import ms from "ms";
import type { Output } from "./output.ts";

/** Spaces between two columns. */
const GAP = 2;
/**
 * A table without lines. What does not fit is wrapped between words, the widest columns first. No word is ever cut: a
 * name of which the end is missing is worse than a line that is too long.
 */
export function table(out: Output, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = head.map((title, i) => [title, ...rows.map((row) => plain(row[i] ?? ""))]);
  const least = cells.map((column) => longest(column.flatMap((cell) => cell.split(/\s+/))));
  const widths = cells.map((column) => longest(column.flatMap((cell) => cell.split("\n"))));
  const room = out.width - GAP * (head.length - 1);
  while (sum(widths) > room) {
    const [widest] = widths
      .map((_, i) => i)
      .filter((i) => widths[i]! > least[i]!)
      .sort((a, b) => widths[b]! - widths[a]!);
    if (widest === undefined) break;
    widths[widest]!--;
  }
  const made = new Table({
    head: head.map((title) => out.paint.dim(title)),
    colWidths: widths.map((width) => width + GAP),
    wordWrap: true,
    wrapOnWordBoundary: true,
    chars: Object.fromEntries(EDGES.map((edge) => [edge, ""])),
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const EDGES = [
  ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
];

/** Lines of what something is, one `name  value` each; empty values are left out. */
export function pairs(
  out: Output,
  list: readonly (readonly [name: string, value: string | null | undefined])[],
): string {
  const there = list.filter((pair): pair is [string, string] => !!pair[1]);
  const width = Math.max(...there.map(([name]) => name.length)) + GAP;
  return there
    .map(
      ([name, value]) => out.paint.dim(name.padEnd(width)) + value.replaceAll("\n", `\n${" ".repeat(width)}`),
    )
    .join("\n");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const COLOURS = /\x1b\[[0-9;]*m/g;
const plain = (text: string) => text.replace(COLOURS, "");
const longest = (list: readonly string[]) => Math.max(...list.map((text) => text.length));
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

/** Percent with at most three decimals: the finest step there is. */
export function percent(value: number): string {
  return `${Number(value.toFixed(3))} %`;
}

/** A ratio (0 to 1) in percent; `–` for null. */
export function ratio(value: number | null): string {
  return value === null ? "–" : `${Number((value * 100).toPrecision(3))} %`;
}

/** Milliseconds of a latency; `–` for null. */
export function latency(value: number | null): string {
  return value === null ? "–" : `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

/** A whole number with thin groups. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US").replaceAll(",", " ");
}

/** A length of time in its largest unit: `2 days`, `5 minutes`. */
export function span(milliseconds: number): string {
  return ms(Math.round(milliseconds), { long: true });
}

/** A time, with how long ago it is: `2026-05-06 12:00:00 UTC (3 minutes ago)`; `never` for 0. */
export function when(at: number, now: number): string {
  if (at === 0) return "never";
  const ago = now - at;
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC (${ago < 0 ? `in ${span(-ago)}` : `${span(ago)} ago`})`;
}
