/** Unleash: what its clients are given (`/api/client/features`), and its export of an environment. */
import type { Value } from "../../flag/schema.ts";
import { isName } from "../../flag/schema.ts";
import { booleanOf, timeOf } from "../cells.ts";
import { type Draft, Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { readStrategies } from "./unleash-strategies.ts";

const KINDS: readonly unknown[] = ["release", "experiment", "operational", "kill-switch", "permission"];

/** Versions of the form that clients are given. */
const VERSIONS: readonly unknown[] = [1, 2];

/** A feature with what the export keeps in lists of their own. */
interface Feature {
  piece: Piece;
  draft: Draft;
  enabled: Piece;
  strategies: Piece[];
  variants: Piece[];
  dependencies: Piece[];
}

/** Either form. */
export function fromUnleash(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  const list = Array.isArray(value) ? root : root.at("features");
  const environments = listAt(root, "featureEnvironments");
  const strategies = listAt(root, "featureStrategies");
  const dependencies = listAt(root, "dependencies");
  const features = list.items().flatMap((piece): Feature[] => {
    const name = piece.at("name").isThere ? piece.at("name").text() : undefined;
    if (name === undefined) return [];
    if (drafts.has(name)) return piece.lose("The feature stands in an earlier entry, which counts.") ?? [];
    const own = environments.find((e) => e.at("featureName").value === name);
    return [
      {
        piece,
        draft: drafts.of(name, piece.at("name")),
        enabled: own?.at("enabled") ?? piece.at("enabled"),
        strategies: [
          ...listAt(piece, "strategies"),
          ...strategies.filter((s) => s.at("featureName").value === name),
        ],
        variants: [...listAt(piece, "variants"), ...(own ? listAt(own, "variants") : [])],
        dependencies: [
          ...listAt(piece, "dependencies"),
          ...dependencies
            .filter((d) => d.at("feature").value === name)
            .flatMap((d) => listAt(d, "dependencies")),
        ],
      },
    ];
  });
  for (const piece of dependencies)
    if (drafts.has(String(piece.at("feature").value))) piece.at("feature").take();
  for (const feature of features) readFeature(drafts, feature, listAt(root, "segments"));
  for (const own of environments) readEnvironment(own, drafts);
  if (VERSIONS.includes(root.at("version").value)) root.at("version").take();
  for (const key of ["query", "meta"]) root.at(key).lose("About the answer, and not about a flag.");
  readTags(drafts, listAt(root, "featureTags"));
  return drafts.finish("unleash");
}

/** Is this a feature of Unleash? */
export function isFeature(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.name === "string" &&
    ("strategies" in value || "type" in value || "enabled" in value)
  );
}

function listAt(piece: Piece, key: string): Piece[] {
  return Array.isArray(piece.at(key).value) ? piece.at(key).items() : [];
}

function readFeature(drafts: Drafts, feature: Feature, segments: readonly Piece[]): void {
  const { piece, draft } = feature;
  const type = piece.at("type");
  if (KINDS.includes(type.value)) draft.set("kind", type.text());
  else draft.keep("type", type);
  if (piece.at("description").isThere) draft.set("description", piece.at("description").text());
  if (piece.at("createdAt").isThere) draft.set("createdAt", timeOf(piece.at("createdAt")));
  for (const key of ["project", "lastSeenAt"]) draft.keep(key, piece.at(key));
  for (const key of ["stale", "impressionData", "favorite"]) {
    if (piece.at(key).value === false) piece.at(key).take();
    else draft.keep(key, piece.at(key));
  }
  const archived = piece.at("archived");
  if (archived.value === false) archived.take();
  const enabled = feature.enabled.isThere ? booleanOf(feature.enabled) : false;
  readStrategies(draft, feature.strategies, segments);
  if (archived.value === true) archived.change("Archived: it is off.");
  if (!enabled || archived.value === true) draft.set("state", "off");
  const before = draft.flag.state;
  readDependencies(drafts, draft, feature.dependencies);
  if (draft.flag.state !== before) feature.enabled.change("It is off: what it needs cannot be said.");
  readVariants(draft, feature.variants);
}

function readDependencies(drafts: Drafts, draft: Draft, list: readonly Piece[]): void {
  const needed = list.flatMap((piece) => {
    const { value } = piece.at("feature");
    const isPlain = piece.at("enabled").value !== false && listAt(piece, "variants").length === 0;
    if (typeof value !== "string" || !isPlain) {
      draft.shut();
      return piece.lose("Flags can only need that another one is on: so it is off.") ?? [];
    }
    piece.at("feature").take();
    if (piece.at("enabled").value === true) piece.at("enabled").take();
    return [{ former: value, piece: piece.at("feature") }];
  });
  drafts.need(draft, needed);
}

/** What a flag answers when it is off, of each type. */
const NOTHING: Readonly<Record<string, Value>> = { string: "", csv: "", number: 0, json: {} };
/** Variant of those for whom it is off, by Unleash's own name. */
const DISABLED = "disabled";

/** One variant is the answer of those who have the flag. Several are drawn by weight, which a flag here does not do. */
function readVariants(draft: Draft, list: readonly Piece[]): void {
  const [only, ...more] = list;
  const name = only?.at("name").value;
  const type = only?.at("payload").at("type").value;
  const answer = only === undefined ? undefined : payloadOf(only.at("payload"));
  const fits = typeof name === "string" && isName(name) && name !== DISABLED && answer !== undefined;
  for (const field of ["variants", "onVariant", "offVariant"]) draft.settle(field, undefined);
  if (only === undefined) return;
  if (more.length > 0 || !fits) {
    for (const piece of list)
      piece.lose("Variants by weight: a flag here is on or off, with one answer for each.");
    return;
  }
  for (const field of ["variants", "onVariant", "offVariant"]) draft.absent.delete(field);
  only.at("name").take();
  for (const key of ["type", "value"]) only.at("payload").at(key).take();
  only.at("weight").lose("The only variant: all who have the flag get it.");
  for (const key of ["weightType", "stickiness", "overrides"])
    only.at(key).lose("The only variant needs none.");
  draft.set("variants", { [name]: answer, [DISABLED]: NOTHING[String(type)] ?? "" });
  draft.set("onVariant", name);
  draft.set("offVariant", DISABLED);
}

function payloadOf(payload: Piece): Value | undefined {
  const { value } = payload.at("value");
  if (typeof value !== "string") return undefined;
  switch (payload.at("type").value) {
    case "string":
    case "csv":
      return value;
    case "number":
      return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
    case "json":
      return jsonIn(value);
    default:
      return undefined;
  }
}

/** JSON of an object or list: anything else would be of another type than the answer of those who have it not. */
function jsonIn(text: string): Value | undefined {
  try {
    const value = JSON.parse(text) as Value;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function readEnvironment(own: Piece, drafts: Drafts): void {
  if (!drafts.has(String(own.at("featureName").value))) return;
  own.at("featureName").take();
  if (own.at("environment").isThere)
    own
      .at("environment")
      .change("Exported of this environment: here it counts wherever the document is put.");
}

function readTags(drafts: Drafts, tags: readonly Piece[]): void {
  for (const tag of tags) {
    const { featureName, tagType, tagValue } = isRecord(tag.value) ? tag.value : {};
    if (typeof featureName !== "string" || !drafts.has(featureName) || typeof tagValue !== "string") continue;
    const metadata = drafts.of(featureName, tag).part("metadata");
    const tags = [metadata.tags, `${String(tagType ?? "simple")}:${tagValue}`].filter(
      (text) => text !== undefined,
    );
    metadata.tags = tags.join(" ").slice(0, LONGEST_TAGS);
    tag.keep("Kept under metadata as tags.");
  }
}

/** Characters of all tags of a flag. */
const LONGEST_TAGS = 10_000;
