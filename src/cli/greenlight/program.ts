/** The program without its commands: the options that all have. */
import { Command, Option } from "commander";
import { misused } from "./failure.ts";

/** Seconds that one request may take, and the most that `--timeout` takes. */
const TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 3600;

function seconds(text: string): number {
  const n = Number(text);
  if (Number.isFinite(n) && n > 0 && n <= MAX_TIMEOUT_S) return n;
  return misused(`--timeout ${text}: seconds from above 0 to ${MAX_TIMEOUT_S} were expected.`);
}

/** A fresh one. */
export function program(): Command {
  return inherit(
    new Command("greenlight")
      .option("--json", "answer in JSON", false)
      .option("--profile <name>", "the router that this profile names")
      .option("--url <url>", "address of the router, with --token-file or GREENLIGHT_TOKEN")
      .option("--token-file <file>", "file with the token")
      .option("--by <name>", "who says so, where a token is shared; goes into the audit log")
      .option("--reason <text>", "why; goes into the audit log. Writes take it as their last word too")
      .option("-y, --yes", "do not ask", false)
      .option("-q, --quiet", "results and failures only", false)
      .option("--no-color", "no colours (nor with NO_COLOR, or where it is no terminal)")
      .addOption(new Option("--timeout <seconds>", "of one request").argParser(seconds).default(TIMEOUT_S))
      .option("--kv", "past router and controller: read and write KV itself, through wrangler", false),
  );
}

/** Every command fails and prints as the program does. */
export function inherit(command: Command): Command {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false);
  command.commands.forEach(inherit);
  return command;
}
