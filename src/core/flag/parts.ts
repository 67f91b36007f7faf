/** The parts of the document that flags share, groups, plans and notifications: each read alone, as flags are. */
import type { Fault } from "../rollout/snapshot.ts";
import { type Checked, check, misfit, pathText } from "./faults.ts";
import type { Path } from "./json.ts";
import { type Notify, notify } from "./notify.ts";
import { withoutId } from "./persons.ts";
import { type Plan, plan } from "./plan.ts";
import { groupSchema, isName, MAX_MEMBERS, NAME_WORDS } from "./schema.ts";

/** Named entries of a part. */
export interface Part<T> {
  /** Those in good form. */
  good: Map<string, T>;
  /** Names of those that cannot be taken; `everything` when the part itself cannot be read. */
  broken: Set<string> | "everything";
  faults: Fault[];
}

/** Is the name one of an entry that is there but cannot be taken, or may it be? */
export function isDoubtful(part: Part<unknown>, name: string): boolean {
  return part.broken === "everything" || part.broken.has(name);
}

/** Plans of the document, each with its name. */
export function readPlans(value: unknown, hidden: Path[]): Part<Plan> {
  return readPart("plans", value, hidden, (entry, name, at) => {
    const found = check(plan, entry, at);
    return found.ok ? { ok: true, data: { ...found.data, name: found.data.name ?? name } } : found;
  });
}

/** Groups of the document, the groups that they name put in by their members. */
export function readGroups(value: unknown, hidden: Path[]): Part<readonly string[]> {
  const part = readPart("groups", value, hidden, (entry, _name, at) => check(groupSchema, entry, at));
  const { good, broken } = part;
  if (broken === "everything") return part;
  const written = new Map(good);
  for (const [name, list] of written) {
    const members = new Set<string>();
    const { seen, tooMany } = gather(list, written, members);
    const doubtful = [...seen].filter((nested) => broken.has(nested));
    const at = ["groups", name];
    const faults = doubtful.map((nested) => misfit(at, nested, "a group without faults"));
    if (tooMany) faults.push(misfit(at, list, `a group of at most ${MAX_MEMBERS} members`));
    part.faults.push(...faults);
    if (faults.length === 0) good.set(name, [...members]);
    else good.delete(name);
  }
  for (const name of written.keys()) if (!good.has(name)) broken.add(name);
  return part;
}

/** Collects the members of a list and of the groups that it names, each group once, so that a circle ends too. */
function gather(
  list: readonly string[],
  groups: ReadonlyMap<string, readonly string[]>,
  members: Set<string>,
  seen = new Set<string>(),
): { seen: Set<string>; tooMany: boolean } {
  const lists = [list];
  for (let here = lists.pop(); here !== undefined && members.size <= MAX_MEMBERS; here = lists.pop()) {
    for (const id of here) {
      const nested = groups.get(id);
      if (nested === undefined) members.add(id);
      else if (!seen.has(id)) lists.push(nested);
      seen.add(id);
    }
  }
  return { seen, tooMany: members.size > MAX_MEMBERS };
}

/** Who is told what; undefined where it cannot be taken. */
export function readNotify(value: unknown, hidden: Path[]): { notify: Notify | undefined; faults: Fault[] } {
  const twice = hidden.filter(([first]) => first === "notify");
  // What is hidden in an object is a fault that the head reports when it is the whole part.
  const faults = twice.filter((path) => path.length > 1).map(hiddenKey);
  const found = check(notify.prefault({}), value, ["notify"]);
  if (!found.ok) faults.push(...found.faults);
  return { notify: found.ok && twice.length === 0 ? found.data : undefined, faults };
}

/** The fault of a key that reading JSON hides. */
export function hiddenKey(path: Path): Fault {
  const forbidden = path.at(-1) === "__proto__";
  return {
    path: pathText(withoutId(path)),
    message: forbidden ? "this key is not allowed" : "this key stands twice in one object",
    expected: forbidden ? "another key" : "each key once",
  };
}

function readPart<T>(
  key: string,
  value: unknown,
  hidden: Path[],
  read: (entry: unknown, name: string, at: Path) => Checked<T>,
): Part<T> {
  const part: Part<T> = { good: new Map(), broken: new Set(), faults: [] };
  const inside = hidden.filter(([first]) => first === key);
  if (inside.some((path) => path.length === 1)) return { ...part, broken: "everything" };
  if (value === undefined) return part;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { ...part, broken: "everything", faults: [misfit([key], value, "an object")] };
  const broken = new Set<string>();
  for (const [name, entry] of Object.entries(value)) {
    const at = [key, name];
    const faults = inside.filter(([, second]) => second === name).map(hiddenKey);
    if (!isName(name)) faults.push(misfit(at, name, NAME_WORDS));
    const found = read(entry, name, at);
    if (!found.ok) faults.push(...found.faults);
    part.faults.push(...faults);
    if (found.ok && faults.length === 0) part.good.set(name, found.data);
    else broken.add(name);
  }
  return { ...part, broken };
}
