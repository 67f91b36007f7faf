/** `greenlight validate --cohort C`: may the rollout go on? Looks, and changes nothing. */
import type { StatusView } from "../../core/api/views.ts";
import type { Cli } from "./cli.ts";
import { EXIT } from "./exit.ts";
import { expansionChecks, notAsked } from "./expansion.ts";
import { misused } from "./failure.ts";
import { flagsOf } from "./of-cohort.ts";
import { verdictSign } from "./rollout-text.ts";
import { table } from "./table.ts";

/** Checks every flag that has the cohort, or the one that is named. Ends with 1 unless all holds. */
export async function validateCohort(cli: Cli, cohort: string, flag: string | undefined): Promise<void> {
  cli.needsRouter("validate --cohort");
  const api = await cli.api();
  const concerned = await flagsOf(api, cohort, flag);
  const status = await api.ask<StatusView>("/status");
  const found = concerned.flatMap(({ spec, rollout }) => {
    if (!rollout) return [];
    const verdict = status.flags.find(({ name }) => name === spec.name)?.verdict ?? null;
    const checks = expansionChecks(rollout, cohort, verdict);
    const ok = checks.every((check) => check.verdict === "healthy");
    return [{ flag: spec.name, release: rollout.release, ok, checks, notAsked: notAsked(rollout) }];
  });
  if (found.length === 0) misused(`${cohort} is in no flag with a route: nothing is rolled out there.`);
  const { paint } = cli.out;
  cli.out.show({ cohort, ok: found.every(({ ok }) => ok), flags: found }, () =>
    found
      .map(({ flag: name, release, ok, checks, notAsked: open }) => {
        const said = ok ? paint.green("may go on") : paint.red("may not go on yet");
        const rows = checks.map(({ what, verdict, sentence }) => [
          verdictSign(paint, verdict),
          what,
          sentence,
        ]);
        const lines = [
          `${paint.bold(name)} ${release}, cohort ${cohort}: ${said}`,
          table(cli.out, ["", "check", "now"], rows),
        ];
        if (open.length > 0) lines.push(paint.dim(`No gate of this stage asks for: ${open.join("; ")}.`));
        return lines.join("\n");
      })
      .join("\n\n"),
  );
  if (!found.every(({ ok }) => ok)) cli.ends(EXIT.no);
}
