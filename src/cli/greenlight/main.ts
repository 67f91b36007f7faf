/** `greenlight`: reads the command line, loads the one command that is called, and says how it ended. */
import { CommanderError } from "commander";
import pc from "picocolors";
import { Cli } from "./cli.ts";
import { COMMANDS } from "./commands/index.ts";
import { EXIT } from "./exit.ts";
import { failureJson, failureText, misused, Stopped } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { inherit, program } from "./program.ts";
import { safeText } from "./safe-text.ts";

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

function explain(error: unknown, args: readonly string[]): number {
  const stopped =
    error instanceof Stopped
      ? error.failure
      : error instanceof CommanderError
        ? {
            exit: EXIT.usage,
            // Commander's way to say that it has shown the help instead.
            sentence:
              error.code === "commander.help"
                ? "Which of its commands?"
                : error.message.replace(/^error: /, "").replace("command-argument value", "the word"),
            hint: `greenlight ${commandWord(args) ?? ""} --help`.replace("  ", " "),
          }
        : undefined;
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  if (error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError"))
    return EXIT.interrupted;
  // What is not expected is a bug: its stack says where.
  if (!stopped) throw error;
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR && !args.includes("--no-color");
  const text = args.includes("--json") ? failureJson(stopped) : failureText(stopped, pc.createColors(color));
  process.stderr.write(`${safeText(text, color)}\n`);
  return stopped.exit;
}

/** Whoever read the output has read enough: `greenlight list | head -1`. */
function onBroken(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

/** Runs one command line and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  // A second Ctrl-C ends the process at once.
  process.once("SIGINT", onInterrupt);
  process.stdout.on("error", onBroken);
  try {
    await run(args, interrupt.signal);
    if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? EXIT.interrupted : explain(error, args);
  } finally {
    process.removeListener("SIGINT", onInterrupt);
    process.stdout.removeListener("error", onBroken);
  }
}
