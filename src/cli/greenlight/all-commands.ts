/** The whole program, every command loaded: for the help, the docs and the shell's completion. */
import type { Command } from "commander";
import { Cli } from "./cli.ts";
import { GROUPS } from "./commands/index.ts";
import { inherit, program } from "./program.ts";

/** The program with all its commands, and the same by group. */
export async function allCommands(): Promise<{ root: Command; groups: Record<string, Command[]> }> {
  const root = program();
  const cli = new Cli(root, new AbortController().signal);
  const groups: Record<string, Command[]> = {};
  for (const [group, loads] of Object.entries(GROUPS)) {
    const made = await Promise.all(Object.values(loads).map(async (load) => (await load())(cli)));
    for (const command of made) root.addCommand(inherit(command));
    groups[group] = made;
  }
  return { root, groups };
}
