/** `greenlight set FLAG STATE`: another state, percentage or release of a flag. */
import { Command } from "commander";
import type { State, Value } from "../../../core/flag/schema.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { misused } from "../failure.ts";
import { nearest } from "../nearest.ts";
import { percent } from "../table.ts";
import { nameOf, percentageOf } from "../words.ts";
import { showWritten } from "../written.ts";

const STATES: readonly State[] = ["off", "shadow", "canary", "on", "kill"];
const isState = (word: string | undefined): word is State => STATES.some((state) => state === word);

interface SetFlags {
  percentage?: number;
  release?: string;
}

/** The state, if the first of the last words is one; the other is the reason. */
function words(cli: Cli, first: string | undefined, second: string | undefined) {
  if (isState(first)) return { state: first, reason: second };
  if (second !== undefined) misused(`${JSON.stringify(first)} is no state.`, `One of ${STATES.join(", ")}.`);
  // One word that is no state can only be meant as the reason where something else is set.
  return { state: undefined, reason: first ?? cli.options.reason };
}

/** Nothing to set; a word that is no state was meant as one. */
function nothing(word: string | undefined): never {
  const near = nearest(word ?? "", STATES);
  misused(
    word === undefined ? "Nothing was said to set." : `${JSON.stringify(word)} is no state.`,
    near === undefined ? `One of ${STATES.join(", ")}; or --percentage, or --release.` : `Was ${near} meant?`,
  );
}

export const setCommand: CommandFactory = (cli) =>
  new Command("set")
    .description("Sets state, percentage or release of a flag. What lowers green counts at once.")
    .argument("<flag>", "its name", nameOf)
    .argument("[state]", `${STATES.join(", ")}; without it a percentage makes it canary`)
    .argument("[reason]", "why")
    .option("-p, --percentage <percent>", "of visitors on green, 0 to 100", percentageOf)
    .option("--release <release>", "the version that green runs", nameOf)
    .action(async (flag: string, first: string | undefined, second: string | undefined, to: SetFlags) => {
      const { state, reason } = words(cli, first, second);
      const { percentage, release } = to;
      if (state === undefined && percentage === undefined && release === undefined) nothing(first);
      if (percentage !== undefined && state !== undefined && state !== "canary" && state !== "shadow")
        misused(`A percentage means nothing with ${state}.`, "Leave it out, or set canary.");
      const patch: Record<string, Value> = {};
      const next = state ?? (percentage === undefined ? undefined : "canary");
      if (next !== undefined) patch.state = next;
      if (percentage !== undefined) patch.percentage = percentage;
      else if (state === "shadow") patch.percentage = 0;
      if (release !== undefined) patch.release = release;
      if (state === "kill") await cli.confirm(`Kill ${flag}, over everything else?`);
      const said = cli.said(reason);
      const written = await (await cli.store()).edit(flag, { kind: "patch", value: patch }, said);
      const parts = [
        state ?? "",
        percentage === undefined ? "" : percent(percentage),
        release === undefined ? "" : `release ${release}`,
      ];
      showWritten(cli, `Set ${flag} to ${parts.filter(Boolean).join(", ")}`, written);
      if (percentage === 0)
        cli.out.note(`At once. To halve and watch instead: greenlight rollback ${flag} --gradual`);
    });
