/** The difference of two documents as people read it: by flag and field, which way green goes, and for how many. */
import { type Difference, diffDocuments, type FieldChange } from "../../core/flag/difference.ts";
import type { ParsedDocument } from "../../core/flag/parse.ts";
import { SHARE_PER_PERCENT } from "../../core/flag/percentage.ts";
import type { Flag } from "../../core/flag/schema.ts";
import { askedShare } from "../../core/rollout/effective.ts";
import type { Paint } from "./output.ts";
import { percent } from "./table.ts";

/** Characters of a value that are shown. */
const SHOWN = 70;

/** What a change does to green, by flag, for scripts; percent of visitors by the documents alone. */
export interface GreenMove {
  flag: string;
  from: number;
  to: number;
}

/** A difference with what it does to green. */
export interface Compared extends Difference {
  green: GreenMove[];
}

/** Compares the document that is in force with another. */
export function compared(before: ParsedDocument, after: ParsedDocument): Compared {
  const difference = diffDocuments(before, after);
  const names = [...difference.added, ...difference.removed, ...difference.changed.map(({ flag }) => flag)];
  const green = names.flatMap((flag) => {
    const [from, to] = [greenOf(before.flags.get(flag)), greenOf(after.flags.get(flag))];
    return from === to ? [] : [{ flag, from, to }];
  });
  const changed = difference.changed.map((change) => ({ ...change, fields: change.fields.map(unnamed) }));
  return { ...difference, changed, green };
}

/** Fields that hold ids of people. */
const IDS: readonly string[] = ["users", "segments", "tenants"];

/** A field without ids of people: of a whole cohort that comes or goes they stand within the value. */
function unnamed({ path, before, after }: FieldChange): FieldChange {
  return { path, before: counted(before), after: counted(after) };
}

function counted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(counted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, inner]) => [
    key,
    IDS.includes(key) && typeof inner === "object" && inner !== null
      ? Object.keys(inner).length
      : counted(inner),
  ]);
  return Object.fromEntries(fields);
}

/** Percent of visitors who are on green by a flag's own percentage; cohorts and overrides come on top. */
function greenOf(flag: Flag | undefined): number {
  return flag === undefined ? 0 : askedShare(flag) / SHARE_PER_PERCENT;
}

/** Is nothing different that counts? */
export function isSame({ added, removed, changed, document }: Difference): boolean {
  return added.length + removed.length + changed.length + document.length === 0;
}

/** The difference, a line for each flag and field. */
export function differenceText(paint: Paint, difference: Compared): string {
  const { added, removed, changed, document, green } = difference;
  const move = (flag: string) => {
    const found = green.find((one) => one.flag === flag);
    return found ? `  ${moveText(paint, found)}` : "";
  };
  return [
    ...document.map((field) => fieldLine(paint, field, "")),
    ...removed.map((flag) => `${paint.red(`- ${flag}`)}${move(flag)}`),
    ...added.map((flag) => `${paint.green(`+ ${flag}`)}${move(flag)}`),
    ...changed.flatMap(({ flag, fields, raisesGreen, lowersGreen }) => [
      `${paint.yellow(`~ ${flag}`)}${move(flag) || wayText(paint, raisesGreen, lowersGreen)}`,
      ...fields.map((field) => fieldLine(paint, field, "    ")),
    ]),
  ].join("\n");
}

function moveText(paint: Paint, { from, to }: GreenMove): string {
  const by = Math.abs(to - from);
  return to > from
    ? paint.green(`green ${percent(from)} → ${percent(to)}: ${percent(by)} of visitors come to it`)
    : paint.red(`green ${percent(from)} → ${percent(to)}: ${percent(by)} of visitors leave it`);
}

/** Where the percentage stays, and cohorts, overrides or the release change: how many cannot be told. */
function wayText(paint: Paint, raises: boolean, lowers: boolean): string {
  if (raises && lowers) return `  ${paint.yellow("some may come to green, some may leave it")}`;
  if (raises) return `  ${paint.green("some may come to green")}`;
  return lowers ? `  ${paint.red("some may leave green")}` : "";
}

function fieldLine(paint: Paint, { path, before, after }: FieldChange, indent: string): string {
  if (!Array.isArray(before) || !Array.isArray(after))
    return `${indent}${path}: ${paint.red(valueText(before))} → ${paint.green(valueText(after))}`;
  const without = (list: readonly unknown[], other: readonly unknown[]) => {
    const known = new Set(other.map((one) => JSON.stringify(one)));
    return list.filter((one) => !known.has(JSON.stringify(one)));
  };
  const [gone, come] = [without(before, after), without(after, before)];
  if (gone.length + come.length === 0) return `${indent}${path}: ${paint.yellow("in another order")}`;
  return [
    `${indent}${path}:`,
    ...gone.map((one) => `${indent}  ${paint.red(`- ${longText(one)}`)}`),
    ...come.map((one) => `${indent}  ${paint.green(`+ ${longText(one)}`)}`),
  ].join("\n");
}

function longText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function valueText(value: unknown): string {
  if (value === undefined) return "–";
  const text = longText(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
