/** The help of `greenlight` and the reference of docs/cli.md, both made from the commands: `npm run schema`. */
import type { Argument, Command } from "commander";
import { allCommands } from "./all-commands.ts";
import { EXIT_WORDS } from "./exit.ts";

/** The help, as the bin prints it without loading anything. */
export const HELP_FILE = "src/cli/greenlight/help.txt";
/** The page whose part between the marks is made here. */
export const CLI_DOCS_FILE = "docs/cli.md";
const BEGIN = "<!-- made by npm run schema: begin -->";
const END = "<!-- made by npm run schema: end -->";

/** Columns of a terminal that the help is made for. */
const WIDTH = 80;

/** The first clause of a command's description. */
export function summaryOf(command: Command): string {
  return command.description().split(/[:;.](?:\s|$)/)[0]!;
}

/** Text of `greenlight help`. */
export async function helpText(): Promise<string> {
  const { root, groups } = await allCommands();
  const width = Math.max(...root.commands.map((command) => command.name().length)) + 2;
  const lines = ["Usage: greenlight COMMAND [options]", ""];
  for (const [group, commands] of Object.entries(groups)) {
    lines.push(`${group}:`);
    for (const command of commands)
      lines.push(...wrapped(`  ${command.name().padEnd(width)}`, summaryOf(command)));
    lines.push("");
  }
  lines.push("Options of every command:");
  const options = root.options.map(({ flags, description }) => [flags, description] as const);
  const column = Math.max(...options.map(([flags]) => flags.length)) + 2;
  for (const [flags, description] of options)
    lines.push(...wrapped(`  ${flags.padEnd(column)}`, description));
  lines.push("", "greenlight COMMAND --help says more of one. docs/cli.md has all of it.", "");
  return lines.join("\n");
}

function wrapped(head: string, text: string): string[] {
  const lines = [head];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    const glue = last === head || last.trim() === "" ? "" : " ";
    if (last.length + glue.length + word.length > WIDTH && last !== head)
      lines.push(" ".repeat(head.length) + word);
    else lines[lines.length - 1] = last + glue + word;
  }
  return lines;
}

/** The page with its reference as the commands are today; the rest of it stays. */
export async function withReference(page: string): Promise<string> {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${CLI_DOCS_FILE} has lost the marks of its reference`);
  return `${before}${BEGIN}\n\n${await reference()}\n${END}${after}`;
}

async function reference(): Promise<string> {
  const { root, groups } = await allCommands();
  const lines: string[] = [];
  for (const [group, commands] of Object.entries(groups)) {
    lines.push(`### ${group}`, "");
    for (const command of commands) lines.push(...entry(command, `greenlight ${command.name()}`));
  }
  lines.push("### Options of every command", "", ...optionTable(root), "");
  lines.push("### Exit codes", "", "| code | meaning |", "| --- | --- |");
  for (const [code, words] of Object.entries(EXIT_WORDS)) lines.push(`| ${code} | ${words} |`);
  return `${lines.join("\n")}\n`;
}

function entry(command: Command, name: string): string[] {
  const words = command.registeredArguments.map(usage);
  const lines = [`**\`${[name, ...words].join(" ")}\`**`, "", command.description(), ""];
  const rows = optionTable(command);
  if (rows.length > 0) lines.push(...rows, "");
  for (const inner of command.commands) lines.push(...entry(inner, `${name} ${inner.name()}`));
  return lines;
}

function usage(argument: Argument): string {
  const name = `${argument.name().toUpperCase()}${argument.variadic ? "..." : ""}`;
  return argument.required ? name : `[${name}]`;
}

function optionTable(command: Command): string[] {
  const options = command.options.filter(({ hidden }) => !hidden);
  if (options.length === 0) return [];
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return [
    "| option | what |",
    "| --- | --- |",
    ...options.map(({ flags, description }) => `| \`${cell(flags)}\` | ${cell(description)} |`),
  ];
}
