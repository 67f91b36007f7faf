/** All that the doctor looks at, in the order in which it is told. */
import { accessChecks } from "./access.ts";
import { documentChecks } from "./document.ts";
import type { Check, Facts, Finding, Level } from "./facts.ts";
import { flagChecks } from "./flags.ts";
import { liveChecks } from "./live.ts";
import { projectChecks } from "./project.ts";
import { tidyingChecks } from "./tidying.ts";

export const CHECKS: readonly Check[] = [
  ...accessChecks,
  ...documentChecks,
  ...liveChecks,
  ...flagChecks,
  ...tidyingChecks,
  ...projectChecks,
];

const ORDER: readonly Level[] = ["error", "warning", "info"];

/** What one check found. */
export interface Found extends Finding {
  check: string;
}

/** All findings, the worst first. */
export function diagnose(facts: Facts): Found[] {
  const found = CHECKS.flatMap(({ name, look }) =>
    look(facts).map((finding) => ({ ...finding, check: name })),
  );
  return found.sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
}
