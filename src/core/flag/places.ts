/** Where in the text of a document its faults are: line and column, as editors count them. */
import { type Node, parseTree } from "jsonc-parser";
import type { Fault } from "../rollout/snapshot.ts";
import { pathText } from "./faults.ts";
import type { Path } from "./json.ts";

/** A fault with its place in the text. */
export interface PlacedFault extends Fault {
  /** From 1 on. */
  line: number;
  column: number;
}

/** How a text that is no JSON says where it slips. */
const SLIP = /line (\d+), column (\d+)/;

/**
 * Faults with their places, in the order of the text. What is missing is placed where it would have to be put in: at
 * the innermost thing around it that is there.
 */
export function placeFaults(text: string, faults: readonly Fault[]): PlacedFault[] {
  const offsets = offsetsOf(text);
  const starts = lineStarts(text);
  return faults
    .map((fault) => ({ ...fault, ...(slipOf(fault) ?? placeOf(offsetOf(fault.path, offsets), starts)) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function slipOf({ path, message }: Fault): { line: number; column: number } | undefined {
  const slip = path === "" ? SLIP.exec(message) : null;
  return slip ? { line: Number(slip[1]), column: Number(slip[2]) } : undefined;
}

/** Offset of all that has a path. Of a key that stands twice, the second: that is the one too many. */
function offsetsOf(text: string): Map<string, number> {
  const offsets = new Map<string, number>();
  const open: { node: Node; path: Path; from: number }[] = [];
  const root = parseTree(text.replace(/^\ufeff/, " "));
  if (root) open.push({ node: root, path: [], from: root.offset });
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, path, from } = next;
    offsets.set(pathText(path), from);
    const members = (node.children ?? []).map((child, i) => {
      if (node.type === "array") return { node: child, path: [...path, i], from: child.offset };
      const [key, value] = child.children ?? [];
      const member = value ?? key ?? child;
      // Of a value the place of the value; of what holds others the place of its key.
      const at = member.children ? child.offset : member.offset;
      return { node: member, path: [...path, String(key?.value ?? "")], from: at };
    });
    open.push(...members.reverse());
  }
  return offsets;
}

function offsetOf(path: string, offsets: ReadonlyMap<string, number>): number {
  for (let end = path.length; end > 0; end--) {
    const isWhole = end === path.length || path[end] === "." || path[end] === "[";
    const offset = isWhole ? offsets.get(path.slice(0, end)) : undefined;
    if (offset !== undefined) return offset;
  }
  return offsets.get("") ?? 0;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function placeOf(offset: number, starts: readonly number[]): { line: number; column: number } {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}
