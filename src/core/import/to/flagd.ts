/** flagd: a file of flags with variants, targeting and metadata. */
import { SHARE_PER_PERCENT } from "../../flag/percentage.ts";
import { SCHEMA, TOLD_BY_METADATA } from "../from/flagd.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import { isRecord } from "../piece.ts";
import { audiencesOf, type OutAudience } from "./cohorts.ts";
import { type OutFlag, Outlet, present, textAt } from "./outlet.ts";

const KEY = "targetingKey";

export function toFlagd(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const flags = Object.fromEntries(outlet.flags.map((flag) => [flag.name, entryOf(outlet, flag)]));
  return outlet.finish("flagd", { $schema: SCHEMA, flags });
}

function entryOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { piece, state } = flag;
  const given = piece.at("variants");
  const variants = isRecord(given.value) ? given.value : { on: true, off: false };
  given.take();
  const on = textAt(piece, "onVariant") ?? "on";
  const off = textAt(piece, "offVariant") ?? "off";
  if (state === "kill" || state === "shadow")
    piece.at("state").change("There is no such state there: disabled.");
  const isWhole = state === "on";
  const isDisabled = !isWhole && state !== "canary";
  // A default that is true tells by itself that the flag is on; other values do not.
  const tellsItself = isWhole && (on === off || typeof variants[on] === "boolean");
  return present({
    state: isDisabled ? "DISABLED" : "ENABLED",
    variants,
    defaultVariant: tellsItself ? on : off,
    targeting: isWhole
      ? tellsItself
        ? undefined
        : { if: [true, on] }
      : targetingOf(outlet, flag, { on, off, isDisabled }),
    metadata: metadataOf(flag),
  });
}

function targetingOf(
  outlet: Outlet,
  flag: OutFlag,
  { on, off, isDisabled }: { on: string; off: string; isDisabled: boolean },
): unknown {
  const { audiences, percentage } = audiencesOf(outlet, flag, KEY);
  const split = splitOf(percentage, { on, off });
  if (audiences.length === 0) return isDisabled && percentage === 0 ? undefined : split;
  const branches = audiences.flatMap((audience) => [conditionOf(audience), on]);
  return { if: [...branches, percentage === 0 ? off : split] };
}

/** Weights are whole numbers there: thousandths of a percent, or percent where they will do. */
function splitOf(percentage: number, { on, off }: { on: string; off: string }): unknown {
  const scale = Number.isInteger(percentage) ? 1 : SHARE_PER_PERCENT;
  const weight = Math.round(percentage * scale);
  const bucketing = { cat: [{ var: "$flagd.flagKey" }, { var: KEY }] };
  return { fractional: [bucketing, [on, weight], [off, 100 * scale - weight]] };
}

function conditionOf(audience: OutAudience): unknown {
  const parts = audience.map(([name, values]) => ({ in: [{ var: name }, values] }));
  return parts.length === 1 ? parts[0] : { and: parts };
}

function metadataOf({ piece }: OutFlag): Record<string, unknown> | undefined {
  const metadata: Record<string, unknown> = {};
  const own = piece.at("metadata");
  for (const [key, entry] of own.isThere ? own.entries() : []) {
    const taken = entry.take();
    if (key !== "formerName") metadata[key] = taken;
  }
  for (const field of TOLD_BY_METADATA) {
    const text = textAt(piece, field);
    if (text !== undefined) metadata[field] = text;
  }
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}
