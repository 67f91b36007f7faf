/** `greenlight`: reads the command line, loads the one command that is called, and says how it ended. */
import { Command, CommanderError, Option } from "commander";
import pc from "picocolors";
import { Cli } from "./cli.ts";
import { COMMANDS } from "./commands/index.ts";
import { EXIT } from "./exit.ts";
import { failureJson, failureText, misused, Stopped } from "./failure.ts";
import { nearest } from "./nearest.ts";

/** Seconds that one request may take. */
const TIMEOUT_S = 30;
/** Most seconds that `--timeout` takes. */
const MAX_TIMEOUT_S = 3600;

function seconds(text: string): number {
  const n = Number(text);
  if (Number.isFinite(n) && n > 0 && n <= MAX_TIMEOUT_S) return n;
  return misused(`--timeout ${text}: seconds from above 0 to ${MAX_TIMEOUT_S} were expected.`);
}

/** The program without its commands: the options that all have. */
export function program(): Command {
  return new Command("greenlight")
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
    .option("--env <name>", "environment of wrangler.toml, for --kv and kill; default: that of the profile")
    .option("--kv", "past router and controller: read and write KV itself, through wrangler", false)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

/** Options of the program that take a word after them. */
const WITH_VALUE = new Set(
  program()
    .options.filter((option) => option.required)
    .map((option) => option.long),
);

/** The first word that is neither an option nor the value of one. */
function commandWord(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (!word.startsWith("-")) return word;
    if (WITH_VALUE.has(word)) i++;
  }
  return undefined;
}

async function run(args: readonly string[], interrupted: AbortSignal): Promise<void> {
  const root = program();
  const cli = new Cli(root, interrupted);
  const word = commandWord(args);
  const load = word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (word === undefined) misused("No command was named.", "greenlight help lists them.");
  if (!load) {
    const near = nearest(word, Object.keys(COMMANDS));
    misused(
      `There is no command ${JSON.stringify(word)}.`,
      `${near === undefined ? "" : `Was ${near} meant? `}greenlight help lists them.`,
    );
  }
  root.addCommand(inherit((await load())(cli)));
  await root.parseAsync(args, { from: "user" });
}

/** Every command fails and prints as the program does. */
function inherit(command: Command): Command {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ showGlobalOptions: true });
  command.commands.forEach(inherit);
  return command;
}

function explain(error: unknown, args: readonly string[]): number {
  const stopped =
    error instanceof Stopped
      ? error.failure
      : error instanceof CommanderError
        ? {
            exit: EXIT.usage,
            sentence: error.message.replace(/^error: /, ""),
            hint: `greenlight ${commandWord(args) ?? ""} --help`.replace("  ", " "),
          }
        : undefined;
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  if (error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError"))
    return EXIT.interrupted;
  // What is not expected is a bug: its stack says where.
  if (!stopped) throw error;
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR && !args.includes("--no-color");
  process.stderr.write(
    `${args.includes("--json") ? failureJson(stopped) : failureText(stopped, pc.createColors(color))}\n`,
  );
  return stopped.exit;
}

/** Runs one command line and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const interrupt = new AbortController();
  process.once("SIGINT", () => {
    interrupt.abort();
    process.exitCode = EXIT.interrupted;
  });
  try {
    await run(args, interrupt.signal);
    if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  } catch (error) {
    process.exitCode = explain(error, args);
  }
}
