/** Which system a file is of, by its shape. */
import { isAlert } from "./from/canary-alerts.ts";
import { isEcotrips } from "./from/ecotrips.ts";
import { isFlagdFlag } from "./from/flagd.ts";
import { isOurs } from "./from/greenlight.ts";
import { isEnvironment } from "./from/orca-env.ts";
import { isOrcaRow } from "./from/orca-rows.ts";
import { isThorbisRow, isThorbisYaml } from "./from/thorbis.ts";
import { isTogetherosFlag } from "./from/togetheros.ts";
import { isDeployment } from "./from/togetheros-stages.ts";
import { isFeature } from "./from/unleash.ts";
import { FORMATS, type Format } from "./imported.ts";
import { isRecord } from "./piece.ts";

/** What the format is; or why it cannot be told. */
export type Detected = { ok: true; format: Format } | { ok: false; sentence: string };

/** Entries that are looked at of a list or object: files of thousands are alike throughout. */
const LOOKED_AT = 100;

const SHAPES: Record<Format, (value: unknown) => boolean> = {
  greenlight: (value) => someFlag(value, isOurs) || isEmptyDocument(value),
  ecotrips: (value) => isEcotrips(value) || some(value, isEcotrips),
  "orca-env": isEnvironment,
  "orca-rows": (value) => some(value, isOrcaRow) || somePart(value, ["feature_flags", "rows"], isOrcaRow),
  togetheros: (value) => isDeployment(value) || someFlag(value, isTogetherosFlag),
  "canary-plan": (value) => isRecord(value) && isRecord(value.canary),
  "canary-alerts": (value) => somePart(value, ["alerts"], isAlert),
  thorbis: (value) =>
    some(value, isThorbisRow) ||
    isThorbisYaml(value) ||
    somePart(
      value,
      ["feature_flags", "flags", "tenant_flag_overrides", "overrides", "flag_change_log"],
      isThorbisRow,
    ) ||
    (isRecord(value) && [value.descriptions, value.success_criteria].some(isThorbisYaml)),
  flagd: (value) => someFlag(value, isFlagdFlag) || somePart(value, ["flags"], isFlagdFlag),
  unleash: (value) => some(value, isUnleash) || somePart(value, ["features"], isFeature),
};

/** Has the value the shape of this format, whatever others it has? */
export function hasShape(format: Format, value: unknown): boolean {
  return SHAPES[format](value);
}

/** The only format whose shape the value has. */
export function detect(value: unknown): Detected {
  const found = FORMATS.filter((format) => SHAPES[format](value));
  const [format, ...more] = found;
  if (format !== undefined && more.length === 0) return { ok: true, format };
  const all = `Name it with --format: ${FORMATS.join(", ")}.`;
  if (format === undefined) return { ok: false, sentence: `No format that is known has this shape. ${all}` };
  return { ok: false, sentence: `It could be ${found.slice(0, -1).join(", ")} or ${found.at(-1)}. ${all}` };
}

function isEmptyDocument(value: unknown): boolean {
  return (
    isRecord(value) &&
    isRecord(value.flags) &&
    Object.keys(value.flags).length === 0 &&
    !("$evaluators" in value)
  );
}

/** A feature in a bare list: rows of other systems have names too. */
function isUnleash(value: unknown): boolean {
  return isFeature(value) && isRecord(value) && "strategies" in value;
}

function some(value: unknown, test: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.slice(0, LOOKED_AT).some(test);
}

function somePart(value: unknown, keys: readonly string[], test: (entry: unknown) => boolean): boolean {
  return isRecord(value) && keys.some((key) => some(value[key], test));
}

function someFlag(value: unknown, test: (entry: unknown) => boolean): boolean {
  return (
    isRecord(value) && isRecord(value.flags) && Object.values(value.flags).slice(0, LOOKED_AT).some(test)
  );
}
