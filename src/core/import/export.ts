/** Writes a document in the form of another system, and says what that cannot say. */
import type { Exported, Format, ImportOptions, WrittenDocument } from "./imported.ts";
import { toCanaryPlan } from "./to/canary-plan.ts";
import { toEcotrips } from "./to/ecotrips.ts";
import { toFlagd } from "./to/flagd.ts";
import { toOrcaEnv } from "./to/orca-env.ts";
import { toOrcaRows } from "./to/orca-rows.ts";
import { toThorbis } from "./to/thorbis.ts";
import { toTogetheros } from "./to/togetheros.ts";
import { toUnleash } from "./to/unleash.ts";

/** Formats that are written. Alerts of the Canary plan are not: its rules have no expressions to come from. */
export const EXPORT_FORMATS = [
  "greenlight",
  "ecotrips",
  "orca-env",
  "orca-rows",
  "togetheros",
  "canary-plan",
  "thorbis",
  "flagd",
  "unleash",
] as const satisfies readonly Format[];
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const WRITERS: Record<ExportFormat, (document: WrittenDocument, options: ImportOptions) => Exported> = {
  greenlight: (value) => ({
    format: "greenlight",
    value,
    text: `${JSON.stringify(value, null, 2)}\n`,
    losses: [],
  }),
  ecotrips: toEcotrips,
  "orca-env": toOrcaEnv,
  "orca-rows": toOrcaRows,
  togetheros: toTogetheros,
  "canary-plan": toCanaryPlan,
  thorbis: toThorbis,
  flagd: toFlagd,
  unleash: toUnleash,
};

/** Writes a document that has no faults. What the other form cannot say is in the losses, never left out in silence. */
export function exportTo(
  format: ExportFormat,
  document: WrittenDocument,
  options: ImportOptions = {},
): Exported {
  return WRITERS[format](document, options);
}
