/** The page docs/flags.md, made from the JSON Schema of the flag document so that it cannot say something else. */
import { jsonSchemaText } from "../core/flag/json-schema.ts";

/** Where it is kept, from the root of the repository; `npm run schema` writes it. */
export const FLAG_DOCS_FILE = "docs/flags.md";

interface Node {
  $ref?: string;
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
  required?: string[];
}

interface Line {
  path: string;
  node: Node;
  required: boolean;
}

type Parts = Record<string, Node>;

/** Parts that have a section of their own; where they stand the table says which. */
const SECTIONS: Record<string, string> = {
  plan: "Plans",
  stage: "Plans",
  gate: "Conditions",
  condition: "Conditions",
  objective: "Conditions",
  rule: "Conditions",
  limit: "Conditions",
  cohort: "Cohorts",
  receiver: "Notifications",
};

/** Longest default that is shown in a cell. */
const MAX_SHOWN = 60;

const COLUMNS = ["| field | takes | default | meaning |", "| --- | --- | --- | --- |"];

/** The page as Markdown. */
export function flagDocsText(): string {
  const { $defs: parts, ...root } = JSON.parse(jsonSchemaText()) as Node & { $defs: Parts };
  const lines = linesOf(root, "");
  const conditions = formsOf(parts.rule!);
  const gates = formsOf(parts.condition!).filter(
    (form) => !conditions.some((c) => metricOf(c) === metricOf(form)),
  );
  return [
    "# The flag document",
    "",
    "Made by `npm run schema` from `src/core/flag/schema.ts`; a test fails when it is stale. `NAME` is a name that you give; `[]` is an entry of a list. A flag with a `route` steers traffic; one without is a plain feature flag.",
    "",
    ...COLUMNS,
    ...lines.map(rowOf),
    "",
    "## Cohorts",
    "",
    "An entry of `flags.NAME.cohorts`. [cohorts.md](cohorts.md) has worked examples.",
    "",
    ...COLUMNS,
    ...linesOf(parts.cohort!, "").map(rowOf),
    "",
    "## Plans",
    "",
    "An entry of `plans`, or `plan` of a flag.",
    "",
    ...COLUMNS,
    ...linesOf(parts.plan!, "").map(rowOf),
    "",
    "An entry of `stages`:",
    "",
    ...COLUMNS,
    ...linesOf(parts.stage!, "").map(rowOf),
    "",
    "## Conditions",
    "",
    'Rules, gates and sets of objectives are written in one language: a `metric`, and mostly one of `above`, `atLeast`, `below` and `atMost`. A rule has an `action` besides. A gate may also be a sign-off: `{ "signOff": ROLE, "what": TEXT }`.',
    "",
    "| metric | needs | may have |",
    "| --- | --- | --- |",
    ...[...conditions, ...gates].map(metricRowOf),
    "",
    "`evidence` is for rules only, `non_inferiority` for gates only. What they may have:",
    "",
    ...COLUMNS,
    ...fieldsOf([...conditions, ...gates]).map(rowOf),
    "",
    'A limit is a number, or an object: `{ "baseline": …, "plus": … }`, `{ "baseline": …, "times": … }` or `{ "sigma": … }`.',
    "",
    ...COLUMNS,
    ...fieldsOf(formsOf(parts.limit!)).map(rowOf),
    "",
    "## Notifications",
    "",
    "An entry of `notify.receivers`:",
    "",
    ...COLUMNS,
    ...formsOf(parts.receiver!).flatMap((form) => linesOf(form, "").map(rowOf)),
    "",
    "## How they work",
    "",
    "Routes are matched by host first (exact, then `*.example.com` from the longest to the shortest, then `*`), then by path (exact, then prefixes from the longest to the shortest). A host none of whose paths fit falls through to the next. Paths are compared byte for byte as they were sent. Between equals the flag whose name sorts first wins, and the other one is reported.",
    "",
    "The rule `evidence` watches green against blue from the first request on: evidence starts at 1, grows while green fails more or answers more slowly than blue does at the same time, and halts at `1/alpha`. However often one looks, a green that is no worse is halted with probability `alpha` at most, over the whole rollout. It compares visitors placed by the hash of an id of their own, counts each at most once a minute, needs failures of at least 3 distinct visitors, and takes at least 5 s. A flag that names no rules has this one, and `error_rate` above 0.5 (`minRequests` 20, `minVisitors` 3).",
    "",
    "The other rules are literal: one fires when its value is beyond the limit (`above` and `below` strictly, `atLeast` and `atMost` from the limit on), on at least `minRequests` requests of green in the window. Looked at again and again, every limit near what is usual is crossed by chance sooner or later; `guarded` asks for evidence of at least 100 besides. A limit that starts from `blue` compares with blue now, over the visitors that evidence compares, and needs failures of at least 3 of them; a plain number counts every request, those that an open breaker kept from green as failures. With `for` the value must be beyond the limit at every look for so long, and so over the whole stretch. Whatever the rules say, green is halted when more than 20 % of its requests of 10 s (at least 20, of 3 visitors) had to be diverted. Breakers open in an outage of both sides and for one client in a loop, too: where blue fails one request in ten as well, or most failures were one client's, the rollout holds instead, until the breakers have had the time to close.",
    "",
  ].join("\n");
}

function linesOf(node: Node, path: string): Line[] {
  if (node.type === "array") return node.items ? linesOf(node.items, `${path}[]`) : [];
  if (node.type !== "object") return [];
  const named = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return [
      { path: at, node: child, required: node.required?.includes(key) ?? false },
      ...linesOf(child, at),
    ];
  });
  const open =
    typeof node.additionalProperties === "object" ? linesOf(node.additionalProperties, `${path}.NAME`) : [];
  return [...named, ...open];
}

/** The forms that a part may have. */
function formsOf(part: Node): Node[] {
  return part.anyOf ?? part.oneOf ?? [part];
}

/** Fields of forms, each once; one that some form does not need is not required. */
function fieldsOf(forms: Node[]): Line[] {
  const all = forms.flatMap((form) => linesOf(form, "")).filter(({ path }) => path !== "metric");
  return all
    .filter((line, i) => all.findIndex(({ path }) => path === line.path) === i)
    .map((line) => ({
      ...line,
      required: all.every(({ path, required }) => path !== line.path || required),
    }));
}

function metricOf(form: Node): string {
  return form.properties?.metric ? takes(form.properties.metric) : "";
}

function metricRowOf(form: Node): string {
  const fields = linesOf(form, "").filter(({ path }) => path !== "metric");
  const isLimit = ({ path }: Line) => LIMITS.includes(path);
  const list = (some: Line[]) => some.map(({ path }) => `\`${path}\``).join(" ");
  const needs = list(fields.filter(({ required }) => required));
  const limit = fields.some(isLimit) ? "a limit" : "";
  const rest = list(fields.filter((field) => !field.required && !isLimit(field)));
  return `| ${metricOf(form)} | ${[needs, limit].filter(Boolean).join(" and ")} | ${rest} |`;
}

const LIMITS = ["above", "atLeast", "below", "atMost"];

function rowOf({ path, node, required }: Line): string {
  const shown = node.default === undefined ? "" : JSON.stringify(node.default);
  const standard = required
    ? "required"
    : shown.length > MAX_SHOWN
      ? "see the schema"
      : shown && `\`${shown}\``;
  return `| \`${path}\` | ${takes(node)} | ${standard} | ${(node.description ?? "").replaceAll("|", "\\|")} |`;
}

function takes(node: Node): string {
  const part = node.$ref?.split("/").at(-1);
  if (part !== undefined) {
    const section = SECTIONS[part] ?? part;
    return `[${part}](#${section.toLowerCase()})`;
  }
  const forms = node.anyOf ?? node.oneOf;
  if (forms) return [...new Set(forms.map(takes))].join(" or ");
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(" ");
  if (node.type === "array") return `list of ${node.items ? takes(node.items) : "anything"}`;
  if (node.type === "number" || node.type === "integer") return range(node);
  const open = node.additionalProperties;
  if (node.type === "object" && typeof open === "object") return `object of ${takes(open) || "anything"}`;
  return node.type ?? "";
}

function range(node: Node): string {
  const kind = node.type === "integer" ? "whole number" : "number";
  const most =
    node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER ? `to ${node.maximum}` : "";
  const least =
    node.minimum !== undefined ? `${node.minimum}` : node.exclusiveMinimum !== undefined ? "above 0" : "";
  return [kind, least, most].filter(Boolean).join(" ");
}
