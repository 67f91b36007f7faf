/** Argument and options of `diff` and `apply`: which document, and what of it. */
import type { Command } from "commander";
import type { Wanted } from "./applying.ts";
import { nameOf } from "./words.ts";

interface WantedFlags {
  from?: string;
  only?: string[];
  keepRoutes?: boolean;
}

/** The command with them. */
export function wanting(command: Command): Command {
  return command
    .argument("[file]", "the document; - for stdin")
    .option(
      "--from <profile>",
      "the document of this profile's router, to promote it to the one that is meant",
    )
    .option("--only <flags>", "these flags only, separated by commas; all else stays as it is", names)
    .option("--keep-routes", "flags keep the route that they have at the target; the default with --from")
    .option("--no-keep-routes", "routes and their origins are taken along");
}

function names(text: string): string[] {
  return text.split(",").map((name) => nameOf(name.trim()));
}

/** What they say. */
export function wantedOf(file: string | undefined, { from, only, keepRoutes }: WantedFlags): Wanted {
  return { file, from, only, keepRoutes: keepRoutes ?? from !== undefined };
}
