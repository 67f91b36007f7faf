/** Reads a file of another system: the flag document that it comes to, and what that cannot say. */
import { detect } from "./detect.ts";
import { fromCanaryAlerts } from "./from/canary-alerts.ts";
import { fromCanaryPlan } from "./from/canary-plan.ts";
import { fromEcotrips } from "./from/ecotrips.ts";
import { fromFlagd } from "./from/flagd.ts";
import { fromGreenlight } from "./from/greenlight.ts";
import { fromOrcaEnv } from "./from/orca-env.ts";
import { fromOrcaRows } from "./from/orca-rows.ts";
import { fromThorbis } from "./from/thorbis.ts";
import { fromTogetheros } from "./from/togetheros.ts";
import { fromUnleash } from "./from/unleash.ts";
import type { Format, Imported, ImportOptions, Source } from "./imported.ts";

const READERS: Record<Format, (value: unknown, options: ImportOptions) => Imported> = {
  greenlight: fromGreenlight,
  ecotrips: fromEcotrips,
  "orca-env": fromOrcaEnv,
  "orca-rows": fromOrcaRows,
  togetheros: fromTogetheros,
  "canary-plan": fromCanaryPlan,
  "canary-alerts": fromCanaryAlerts,
  thorbis: fromThorbis,
  flagd: fromFlagd,
  unleash: fromUnleash,
};

/** Deepest nesting: no file of these systems comes near it. */
const DEEPEST = 64;

/** Reads a source. `auto` tells the format by its shape. Never throws; the document has no faults. */
export function importFrom(format: Format | "auto", source: Source, options: ImportOptions = {}): Imported {
  if (isTooDeep(source.value))
    return { ok: false, sentence: `Nested deeper than ${DEEPEST} levels: not a file of flags.`, path: "" };
  const found = format === "auto" ? detect(source.value) : { ok: true as const, format };
  if (!found.ok) return { ok: false, sentence: found.sentence, path: "" };
  const imported = READERS[found.format](source.value, options);
  if (!imported.ok || found.format === "greenlight" || Object.keys(imported.document.flags).length > 0)
    return imported;
  const [loss] = imported.losses;
  const why = loss === undefined ? "" : ` ${loss.path}: ${loss.sentence}`;
  return {
    ok: false,
    sentence: `No flag of the format ${found.format} is in it.${why}`,
    path: loss?.path ?? "",
  };
}

/** Looks level by level: a function that calls itself would run out of stack first. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((inside) =>
      typeof inside === "object" && inside !== null
        ? Object.values(inside).filter((v) => typeof v === "object")
        : [],
    );
  }
  return false;
}
