/** flagd: flags with variants, targeting and metadata, as files of its own and of OpenFeature's operator have them. */
import type { Value } from "../../flag/schema.ts";
import { isName } from "../../flag/schema.ts";
import { type Draft, Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { readTargeting } from "./flagd-targeting.ts";
import { branchesOf } from "./json-logic.ts";

/** Fields of ours that other systems keep under metadata, as texts. */
export const TOLD_BY_METADATA = ["description", "owner", "notes", "playbook"] as const;

/** Schema of its files. */
export const SCHEMA = "https://flagd.dev/schema/v0/flags.json";

/** The file. */
export function fromFlagd(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  const flags = root.at("flags");
  if (root.at("$schema").value === SCHEMA) root.at("$schema").take();
  const shared = root.at("metadata");
  const list: [string, Piece][] = Array.isArray(flags.value)
    ? flags
        .items()
        .flatMap((piece) => (piece.at("key").isThere ? [[piece.at("key").text() ?? "", piece]] : []))
    : flags.entries();
  for (const [name, piece] of list) {
    if (!isRecord(piece.value)) continue;
    const draft = drafts.of(name, piece);
    readMetadata(draft, shared);
    readMetadata(draft, piece.at("metadata"));
    readFlag(draft, piece, root.at("$evaluators"));
  }
  if (root.at("$evaluators").isThere)
    root
      .at("$evaluators")
      .change("Shared conditions: each flag that names one has it written out, as far as it can.");
  return drafts.finish("flagd");
}

/** Is this a flag of flagd? */
export function isFlagdFlag(value: unknown): boolean {
  return (
    isRecord(value) && (value.state === "ENABLED" || value.state === "DISABLED") && isRecord(value.variants)
  );
}

function readMetadata(draft: Draft, piece: Piece): void {
  if (!piece.isThere) return;
  for (const [key, entry] of piece.entries()) {
    if ((TOLD_BY_METADATA as readonly string[]).includes(key) && typeof entry.value === "string")
      draft.set(key, entry.text());
    else draft.keep(key, entry);
  }
}

function readFlag(draft: Draft, piece: Piece, evaluators: Piece): void {
  const variants = readVariants(piece.at("variants"));
  const targeting = piece.at("targeting");
  const branches = targeting.isThere && !isNothing(targeting) ? branchesOf(targeting) : [];
  const byDefault = piece.at("defaultVariant");
  const fallback =
    typeof byDefault.value === "string" && byDefault.value in variants ? byDefault.text() : undefined;
  if (!byDefault.isThere)
    piece.change("No default variant: where flagd leaves the answer to the caller, ours is the off variant.");
  const plan = readTargeting({ draft, variants, branches, evaluators, fallback });
  const isUsual =
    JSON.stringify(variants) === '{"on":true,"off":false}' && plan.on === "on" && plan.off === "off";
  draft.settle("variants", isUsual ? undefined : variants);
  draft.settle("onVariant", isUsual ? undefined : plan.on);
  draft.settle("offVariant", isUsual ? undefined : plan.off);
  const state = piece.at("state");
  if (state.value === "DISABLED") {
    draft.set("state", "off");
    state.change(`flagd leaves the answer to the caller then; ours is the variant ${plan.off}.`);
  } else if (state.value === "ENABLED") state.take();
  else if (state.isThere) {
    draft.set("state", "off");
    state.change("Neither ENABLED nor DISABLED: it is off.");
  }
}

function isNothing(targeting: Piece): boolean {
  if (!isRecord(targeting.value) || Object.keys(targeting.value).length > 0) return false;
  targeting.take();
  return true;
}

function readVariants(piece: Piece): { [name: string]: Value } {
  const variants: { [name: string]: Value } = {};
  let type: string | undefined;
  for (const [name, value] of piece.entries()) {
    type ??= typeof value.value;
    if (!isName(name)) value.lose("No name for a variant: letters, digits and . _ + -.");
    else if (typeof value.value === type) variants[name] = value.take() as Value;
    else value.lose("All variants of a flag are of one type: that of the first.");
  }
  return variants;
}
