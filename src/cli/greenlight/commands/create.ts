/** `greenlight create FLAG`: a new flag, off unless told otherwise. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import type { Value } from "../../../core/flag/schema.ts";
import type { CommandFactory } from "../cli.ts";
import { misused } from "../failure.ts";
import { nameOf, percentageOf } from "../words.ts";
import { showWritten } from "../written.ts";

interface CreateFlags {
  from?: string;
  state: string;
  percentage?: number;
  release?: string;
  description?: string;
  owner?: string;
  kind?: string;
  removeBy?: string;
  blue?: string;
  green?: string;
  host?: string[];
  path?: string[];
  dependsOn?: string[];
  stickBy?: string[];
}

function written(flags: CreateFlags): Record<string, Value> {
  const { from: _, blue, green, host, path, dependsOn, stickBy, ...plain } = flags;
  if ((blue === undefined) !== (green === undefined)) misused("A route needs --blue and --green.");
  if (blue === undefined && (host || path))
    misused("--host and --path are of a route: say --blue and --green.");
  const route = blue !== undefined &&
    green !== undefined && { ...(host && { hosts: host }), ...(path && { paths: path }), blue, green };
  return {
    ...plain,
    ...(dependsOn && { dependencies: dependsOn }),
    ...(stickBy && { stickBy }),
    ...(route && { route }),
  };
}

async function fromFile(file: string): Promise<Record<string, Value>> {
  const text = await readFile(file, "utf8").catch(() => misused(`${file} cannot be read.`));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, Value>;
  } catch {}
  return misused(`${file} is not a JSON object.`, 'It holds the fields of one flag: { "state": "off" }.');
}

export const createCommand: CommandFactory = (cli) =>
  new Command("create")
    .description("Makes a new flag. Refused where there is one of that name.")
    .argument("<flag>", "its name", nameOf)
    .argument("[reason]", "why")
    .option("--from <file>", "its fields, as a JSON object; the options below count over them")
    .option("--state <state>", "off, shadow, canary, on or kill", "off")
    .option("-p, --percentage <percent>", "of visitors on green, 0 to 100", percentageOf)
    .option("--release <release>", "the version that green runs", nameOf)
    .option("--description <text>", "what it is")
    .option("--owner <who>", "who answers for it")
    .option("--kind <kind>", "release, experiment, operational, kill-switch or permission")
    .option("--remove-by <date>", "when it should be gone")
    .option("--blue <origin>", "makes it steer traffic: https://host or service:BINDING")
    .option("--green <origin>", "the other side")
    .option("--host <host...>", "public hosts of the route")
    .option("--path <path...>", "paths of the route: /cart or /shop/*")
    .option("--depends-on <flag...>", "flags that have to be on")
    .option("--stick-by <source...>", "visitor, ip, header:NAME, cookie:NAME or jwt:CLAIM")
    .action(async (flag: string, reason: string | undefined, flags: CreateFlags, command: Command) => {
      const base = flags.from === undefined ? {} : await fromFile(flags.from);
      const own = written(flags);
      // The default state is no word of the caller's: the file's own counts.
      if (command.getOptionValueSource("state") === "default" && "state" in base) delete own.state;
      const value = { ...base, ...own };
      const done = await (await cli.store()).edit(flag, { kind: "create", value }, cli.said(reason));
      showWritten(cli, `Created ${flag}`, done);
    });
