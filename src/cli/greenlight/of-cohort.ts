/** Which flags have to do with a cohort, and where their rollouts stand to its stage. */
import type { FlagListView, FlagSpecView, RolloutView } from "../../core/api/views.ts";
import { DEFAULT_COHORT } from "../../core/flag/members.ts";
import { cohortSwitch } from "../../core/flag/switches.ts";
import type { Api } from "./client.ts";
import { EXIT } from "./exit.ts";
import { misused, stop } from "./failure.ts";
import { nearest } from "./nearest.ts";

/** A flag that names the cohort, with its rollout (null for a flag without a route). */
export interface Concerned {
  spec: FlagSpecView;
  rollout: RolloutView | null;
}

/** Flags that have the cohort, or a stage for it; `only` one of them. The command ends where there is none. */
export async function flagsOf(api: Api, cohort: string, only: string | undefined): Promise<Concerned[]> {
  const { flags } = await api.ask<FlagListView>("/flags");
  const named = flags.filter(
    (spec) => cohortsOf(spec).includes(cohort) && (only === undefined || spec.name === only),
  );
  if (named.length === 0) {
    const near = nearest(cohort, [...new Set(flags.flatMap(cohortsOf))]);
    const where = only === undefined ? "No flag" : `The flag ${only}`;
    misused(
      `${where} has ${only === undefined ? "a" : "no"} cohort or stage ${cohort}.`,
      near === undefined ? "greenlight get FLAG shows a flag's cohorts." : `Was ${near} meant?`,
    );
  }
  return await Promise.all(
    named.map(async (spec) => ({
      spec,
      rollout: spec.flag?.route
        ? await api.ask<RolloutView>(`/flags/${encodeURIComponent(spec.name)}/rollout`)
        : null,
    })),
  );
}

/** Ends the command where no flag has the cohort, nor a switch of it is there: a misspelt one would disable nobody. */
export function needsCohort(flags: readonly FlagSpecView[], cohort: string): void {
  const known = [...new Set([...flags.flatMap(cohortsOf), DEFAULT_COHORT])];
  if (known.includes(cohort) || flags.some(({ name }) => name === cohortSwitch(cohort))) return;
  const near = nearest(cohort, known);
  stop({
    exit: EXIT.refused,
    sentence: `No flag has a cohort or stage ${cohort}.`,
    hint: near === undefined ? `There are: ${known.join(", ")}.` : `Was ${near} meant?`,
  });
}

function cohortsOf({ flag }: FlagSpecView): string[] {
  const stages = flag?.plan?.stages.flatMap(({ cohort }) => (cohort === undefined ? [] : [cohort])) ?? [];
  return [...Object.keys(flag?.cohorts ?? {}), ...stages];
}

/** Place of the cohort's stage in the plan; -1 without one. */
export function stageOf(rollout: RolloutView, cohort: string): number {
  return rollout.stages.findIndex((stage) => stage.cohort === cohort);
}
