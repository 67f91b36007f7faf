/** Reads the flag document: each flag alone, every fault in one pass, any text at all without throwing. */
import * as z from "zod";
import type { Fault } from "../rollout/snapshot.ts";
import { routeConflicts } from "./conflicts.ts";
import { dependencyFaults } from "./dependencies.ts";
import { check, MAX_FAULTS, misfit, pathText } from "./faults.ts";
import { type Path, readJson } from "./json.ts";
import type { Notify } from "./notify.ts";
import { hiddenKey, isDoubtful, type Part, readGroups, readNotify, readPlans } from "./parts.ts";
import type { Plan } from "./plan.ts";
import { type Flag, flagSchema, isName, NAME_WORDS } from "./schema.ts";
import { misnamed, variantFaults, withMembers } from "./within.ts";

/** Largest document, bytes of UTF-8. */
export const MAX_BYTES = 1_048_576;

/** Most flags in a document: with their defaults filled in they must fit into the 2 MB of a stored row. */
export const MAX_FLAGS = 2000;

/** Most pairs of host and path pattern in a document: the routing table of an isolate holds an entry for each. */
export const MAX_PAIRS = 50_000;

/** Largest flag with its defaults filled in, bytes of JSON: it has to fit into a stored row of 2 MB. */
export const MAX_FLAG_BYTES = 1_500_000;

/** All flags with their defaults, plans and members of groups filled in, characters of JSON: they go into one KV value. */
export const MAX_FILLED = 12_000_000;

/** A character is at most 3 bytes per UTF-16 unit, so shorter texts need not be measured. */
const MAX_BYTES_PER_UNIT = 3;

/** What a flag document says. */
export interface ParsedDocument {
  /**
   * Global switch, true where the document names none. Undefined when it cannot be told: `enabled` itself is at
   * fault, or the document cannot be read (then there are no flags either, broken or not).
   */
  enabled: boolean | undefined;
  /** Groups in good form, with the members of the groups that they name. */
  groups: ReadonlyMap<string, readonly string[]>;
  /** Plans of the document in good form. */
  plans: ReadonlyMap<string, Plan>;
  /** Who is told what. Undefined when it is at fault: what was told before goes on. */
  notify: Notify | undefined;
  /**
   * Flags in good form, in the document's order. Defaults, plans and the members of groups are filled in, so that a
   * flag needs the document no longer, and keeps its last good plan and members when these break.
   */
  flags: Map<string, Flag>;
  /** Flags that cannot be taken, with what is wrong. They keep their last good form. */
  broken: Map<string, Fault[]>;
  /** All faults, those of broken flags included; at most MAX_FAULTS of each flag and of the document in all. */
  faults: Fault[];
}

/** Everything but the parts, each of which is looked at alone. */
const headSchema = z.strictObject({
  $schema: z.string().optional(),
  enabled: z.boolean().default(true),
  groups: z.unknown().optional(),
  plans: z.unknown().optional(),
  notify: z.unknown().optional(),
  flags: z.record(z.string(), z.unknown()),
});

/** Reads a document. Never throws. */
export function parseDocument(text: string): ParsedDocument {
  if (isLonger(text, MAX_BYTES)) {
    return unreadable(tooMany([], `${MAX_BYTES} bytes (1 MB)`));
  }
  const json = readJson(text);
  if (!json.ok) return unreadable(json.fault);
  const head = check(headSchema, json.value, []);
  if (!isRecord(json.value)) return unreadable(misfit([], json.value, "an object with the key flags"));
  const { flags: entries, enabled } = json.value;
  const hiddenAtTop = json.hidden.filter((path) => path.length === 1);
  const faults = [...(head.ok ? [] : head.faults), ...hiddenAtTop.map(hiddenKey)];
  const isTwice = (key: string) => hiddenAtTop.some(([first]) => first === key);
  if (!isRecord(entries) || isTwice("flags")) return { ...unreadable(), faults };

  const groups = readGroups(json.value.groups, json.hidden);
  const plans = readPlans(json.value.plans, json.hidden);
  const told = readNotify(json.value.notify, json.hidden);
  faults.push(...groups.faults, ...plans.faults, ...told.faults);
  const document: ParsedDocument = {
    enabled: enabled === undefined ? true : enabled === true || enabled === false ? enabled : undefined,
    groups: groups.good,
    plans: plans.good,
    notify: told.notify,
    flags: new Map(),
    broken: new Map(),
    faults,
  };
  if (isTwice("enabled")) document.enabled = undefined;
  const room = { pairs: MAX_PAIRS, filled: MAX_FILLED };
  for (const [name, value] of Object.entries(entries))
    readFlag(document, name, value, { hidden: json.hidden, groups, plans, room });
  for (const [name, found] of dependencyFaults(document.flags, (flag) => Object.hasOwn(entries, flag))) {
    document.flags.delete(name);
    document.broken.set(name, found);
    faults.push(...found);
  }
  return { ...document, faults: capped(faults.concat(routeConflicts(document.flags))) };
}

/** What a flag is read with. */
interface Surroundings {
  hidden: Path[];
  groups: Part<readonly string[]>;
  plans: Part<Plan>;
  /** What is left for further flags; taken from as flags are read. */
  room: { pairs: number; filled: number };
}

/** Adds one flag to the document, as good or as broken. */
function readFlag(document: ParsedDocument, name: string, value: unknown, around: Surroundings): void {
  const { hidden, room } = around;
  const at = ["flags", name];
  const faults = hidden.filter((path) => path[0] === "flags" && path[1] === name).map(hiddenKey);
  const seen = new Set(faults.map((fault) => fault.path));
  if (!isName(name)) faults.push(misfit(at, name, NAME_WORDS));
  const found = check(flagSchema, withPlan(value, around.plans), at);
  if (!found.ok) faults.push(...found.faults.filter((fault) => !seen.has(fault.path)));
  faults.push(...doubtfulPlan(value, around.plans, at));
  let flag = found.ok ? found.data : undefined;
  let filled = 0;
  if (flag !== undefined) {
    const whole = withMembers(flag, around.groups, at);
    flag = whole.flag;
    faults.push(...whole.faults, ...misnamed(flag, writtenIn(value), at), ...variantFaults(flag, at));
    const text = JSON.stringify(flag);
    filled = text.length;
    if (isLonger(text, MAX_FLAG_BYTES))
      faults.push(tooMany(at, `${MAX_FLAG_BYTES} bytes with its defaults filled in`));
    else if (filled > room.filled)
      faults.push(tooMany(at, `${MAX_FILLED} characters in all flags together, plans and groups filled in`));
  }
  const pairs = flag?.route ? flag.route.hosts.length * flag.route.paths.length : 0;
  if (pairs > room.pairs)
    faults.push(tooMany([...at, "route"], `${MAX_PAIRS} pairs of host and path in all flags together`));
  if (document.flags.size >= MAX_FLAGS) faults.push(tooMany(at, `${MAX_FLAGS} flags`));
  document.faults.push(...faults);
  if (flag === undefined || faults.length > 0) {
    document.broken.set(name, faults);
    return;
  }
  document.flags.set(name, flag);
  room.pairs -= pairs;
  room.filled -= filled;
}

/** The flag as written, with the document's plan where it names one; a name that the document lacks stays. */
function withPlan(value: unknown, plans: Part<Plan>): unknown {
  if (!isRecord(value) || typeof value.plan !== "string") return value;
  const plan = plans.good.get(value.plan);
  if (plan !== undefined) return { ...value, plan };
  if (!isDoubtful(plans, value.plan)) return value;
  // The fault is the plan's, and said once: the flag is looked at without it.
  const { plan: _, ...rest } = value;
  return rest;
}

function doubtfulPlan(value: unknown, plans: Part<Plan>, at: Path): Fault[] {
  if (!isRecord(value) || typeof value.plan !== "string" || !isDoubtful(plans, value.plan)) return [];
  return [misfit([...at, "plan"], value.plan, "a plan without faults")];
}

function writtenIn(value: unknown): { plan: boolean; rules: boolean } {
  return isRecord(value)
    ? { plan: typeof value.plan === "object", rules: value.rules !== undefined }
    : { plan: false, rules: false };
}

function tooMany(path: Path, limit: string): Fault {
  return { path: pathText(path), message: `more than ${limit}`, expected: `at most ${limit}` };
}

function unreadable(...faults: Fault[]): ParsedDocument {
  return {
    enabled: undefined,
    groups: new Map(),
    plans: new Map(),
    notify: undefined,
    flags: new Map(),
    broken: new Map(),
    faults,
  };
}

function isLonger(text: string, bytes: number): boolean {
  if (text.length * MAX_BYTES_PER_UNIT <= bytes) return false;
  return text.length > bytes || new TextEncoder().encode(text).length > bytes;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function capped(faults: Fault[]): Fault[] {
  if (faults.length <= MAX_FAULTS) return faults;
  const more = faults.length - MAX_FAULTS;
  const rest = {
    path: "",
    message: `${more} more faults, not listed`,
    expected: "a document without faults",
  };
  return [...faults.slice(0, MAX_FAULTS), rest];
}
