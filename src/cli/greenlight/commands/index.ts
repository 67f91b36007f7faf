/** All commands, in the groups of the help. Each is a module of its own, loaded when it is called. */
import type { CommandFactory } from "../cli.ts";

type Load = () => Promise<CommandFactory>;

/** Groups of the help, in its order; commands in theirs. */
export const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  Flags: {
    list: () => import("./list.ts").then((m) => m.listCommand),
  },
};

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Load>> = Object.assign({}, ...Object.values(GROUPS)) as Record<
  string,
  Load
>;
