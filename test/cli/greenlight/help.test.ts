/** Promises of what people read of the command line: it is what the commands are today, and every command in it exists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { allCommands } from "../../../src/cli/greenlight/all-commands.ts";
import { CLI_DOCS_FILE, HELP_FILE, helpText, withReference } from "../../../src/cli/greenlight/help-text.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

test("the help that is printed without loading anything is that of the commands (else: npm run schema)", async () => {
  expect(read(HELP_FILE)).toBe(await helpText());
});

test("the reference of the page on the command line is that of the commands (else: npm run schema)", async () => {
  const page = read(CLI_DOCS_FILE);
  expect(page).toBe(await withReference(page));
});

test("every command and every option says what it is", async () => {
  const { root } = await allCommands();
  const all = root.commands.flatMap((command) => [command, ...command.commands]);
  expect(all.filter((command) => command.description() === "").map((command) => command.name())).toEqual([]);
  const silent = all.flatMap((command) =>
    command.options.filter(({ description }) => !description).map((o) => `${command.name()} ${o.flags}`),
  );
  expect(silent).toEqual([]);
});

describe("a page that names commands", () => {
  let root: Command;
  beforeAll(async () => {
    ({ root } = await allCommands());
  });

  /** Pages, and the least number of our commands in each. */
  const PAGES: readonly [page: string, least: number][] = [
    ["docs/commands-of-others.md", 90],
    ["docs/cli.md", 8],
    ["docs/audit.md", 4],
    ["README.md", 15],
  ];
  test.each(PAGES)("%s names such as there are, with options and words that they take", (page, least) => {
    const found = [...read(page).matchAll(/(?:`|^)(?:npx )?greenlight ([a-z][^`\n]*)/gm)].map((m) => m[1]!);
    const lines = found.map((line) => line.replace(/\s+#.*$/, "").split(/ (?:&&|\|\||>) /)[0]!);
    expect(lines.length).toBeGreaterThanOrEqual(least);
    const wrong = lines.flatMap((line) => {
      const fault = faultOf(root, wordsOf(line));
      return fault === undefined ? [] : [`${line}: ${fault}`];
    });
    expect(wrong).toEqual([]);
  });
});

/** Words of a line as a shell splits it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2]!);
}

/** Why a command does not take these words; undefined where it does. */
function faultOf(root: Command, [name = "", ...words]: string[]): string | undefined {
  if (name === "help" || name === "COMMAND") return undefined;
  let command = root.commands.find((one) => one.name() === name);
  if (!command) return "there is no such command";
  const inner = command.commands.find((one) => one.name() === words[0]);
  if (inner) words = words.slice(1);
  command = inner ?? command;
  const operands: string[] = [];
  const options = [...root.options, ...command.options];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (!word.startsWith("-")) {
      operands.push(word);
      continue;
    }
    const option = options.find(({ long, short }) => word === long || word === short);
    if (!option) return word === "--help" ? undefined : `it has no option ${word}`;
    if (option.required) i++;
  }
  // What stands in the text behind a command alone, as in "`greenlight get` shows", has no operands.
  const takes = command.registeredArguments;
  const most = takes.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : takes.length;
  return operands.length > most ? `it takes no ${operands[most]}` : undefined;
}
