/** The page docs/flags.md, made from the JSON Schema of the flag document so that it cannot say something else. */
import { jsonSchemaText } from "../core/flag/json-schema.ts";

/** Where it is kept, from the root of the repository; `npm run schema` writes it. */
export const FLAG_DOCS_FILE = "docs/flags.md";

interface Node {
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
  required?: string[];
}

interface Line {
  path: string;
  node: Node;
  required: boolean;
}

/** Where rules stand in the document. */
const RULES = "flags.NAME.rules";

/** Longest default that is shown in a cell. */
const MAX_SHOWN = 60;

/** The page as Markdown. */
export function flagDocsText(): string {
  const lines = linesOf(JSON.parse(jsonSchemaText()) as Node, "");
  const forms = lines.find((line) => line.path === RULES)?.node.items?.anyOf ?? [];
  return [
    "# The flag document",
    "",
    "Made by `npm run schema` from `src/core/flag/schema.ts`; a test fails when it is stale. `NAME` is a name that you give; `[]` is an entry of a list. A flag with a `route` steers traffic; one without is a plain feature flag.",
    "",
    "| field | takes | default | meaning |",
    "| --- | --- | --- | --- |",
    ...lines.map(rowOf),
    "",
    "An entry of `rules` has a `metric` and, but for `evidence`, one limit:",
    "",
    "| metric | limit | takes | meaning |",
    "| --- | --- | --- | --- |",
    ...forms.map(ruleRowOf),
    "",
    "and besides:",
    "",
    "| field | takes | default | meaning |",
    "| --- | --- | --- | --- |",
    ...optionalLines(forms).map(rowOf),
    "",
    "Routes are matched by host first (exact, then `*.example.com` from the longest to the shortest, then `*`), then by path (exact, then prefixes from the longest to the shortest). A host none of whose paths fit falls through to the next. Paths are compared byte for byte as they were sent. Between equals the flag whose name sorts first wins, and the other one is reported.",
    "",
    "The rule `evidence` watches green against blue from the first request on: evidence starts at 1, grows while green fails more or answers more slowly than blue does at the same time, and halts at `1/alpha`. However often one looks, a green that is no worse is halted with probability `alpha` at most, over the whole rollout. It compares visitors placed by the hash of an id of their own, counts each at most once a minute, needs failures of at least 3 distinct visitors, and takes at least 5 s. A flag that names no rules has this one, and `error_rate` above 0.5 (`minRequests` 20, `minVisitors` 3).",
    "",
    "The other rules are literal: one fires when the value is strictly above its limit, on at least `minRequests` requests of green in the window. Looked at again and again, every limit near what is usual is crossed by chance sooner or later; `guarded` asks for evidence of at least 100 besides. `aboveBlueBy` and `aboveBlueTimes` compare with blue now, over the visitors that evidence compares, and need failures of at least 3 of them; `above` counts every request, those that an open breaker kept from green as failures. With `for` the value must be beyond the limit at every look for so long, and so over the whole stretch. Whatever the rules say, green is halted when more than 20 % of its requests of 10 s (at least 20, of 3 visitors) had to be diverted. Breakers open in an outage of both sides and for one client in a loop, too: where blue fails one request in ten as well, or most failures were one client's, the rollout holds instead, until the breakers have had the time to close.",
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

/** Fields of the forms of a rule that need not be given, each once. */
function optionalLines(forms: Node[]): Line[] {
  const all = forms.flatMap((form) => linesOf(form, "")).filter(({ required }) => !required);
  return all.filter((line, i) => all.findIndex(({ path }) => path === line.path) === i);
}

/** A form of a rule: its metric, and the one limit that has to be given, if any. */
function ruleRowOf(form: Node): string {
  const limit = linesOf(form, "").find(({ path, required }) => required && path !== "metric");
  const metric = String(form.properties?.metric?.const);
  if (!limit) return `| \`${metric}\` | | | Green against blue, by evidence. |`;
  return `| \`${metric}\` | \`${limit.path}\` | ${takes(limit.node)} | ${limit.node.description ?? ""} |`;
}

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
  if (node.anyOf) return [...new Set(node.anyOf.map(takes))].join(" or ");
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(" ");
  if (node.type === "array") return `list of ${node.items ? takes(node.items) : "anything"}`;
  if (node.type === "number" || node.type === "integer") return range(node);
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
