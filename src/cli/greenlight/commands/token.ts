/** `greenlight token`: makes bearer tokens of the API, or the line of one that was made elsewhere. It asks no router. */
import { appendFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError, Option } from "commander";
import ms, { type StringValue } from "ms";
import {
  hashToken,
  isStrong,
  MIN_TOKEN_LENGTH,
  ROLES,
  type Role,
  TOKENS_VARIABLE,
  tokenLine,
} from "../../../core/auth/tokens.ts";
import { isName, NAME_WORDS } from "../../../core/flag/schema.ts";
import { newToken } from "../../new-token.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { misused } from "../failure.ts";

interface About {
  name: string;
  role: Role;
  /** Milliseconds since the epoch. */
  expires?: number;
  into?: string;
  env?: string;
}

export const tokenCommand: CommandFactory = (cli) =>
  new Command("token")
    .description("Makes bearer tokens of the API. The router keeps hashes alone, in the secret ADMIN_TOKENS.")
    .addCommand(
      about(new Command("create"))
        .description("Makes a token and prints it, once; on stderr what to do with it.")
        .action((given: About) => create(cli, given)),
    )
    .addCommand(
      about(new Command("hash"))
        .description("Reads a token from stdin and prints its line for ADMIN_TOKENS.")
        .action((given: About) => hash(cli, given)),
    );

function about(command: Command): Command {
  return command
    .requiredOption("--name <name>", "whose it is: goes into the audit log", name)
    .addOption(
      new Option("--role <role>", "what it may do: docs/auth.md").choices(ROLES).makeOptionMandatory(true),
    )
    .option("--expires <when>", "after a time (90d) or on a day (2030-01-31, UTC); default: never", moment)
    .option("--into <file>", "append the line to this file, from which the secret is set")
    .option("--env <environment>", "environment of wrangler.toml that the secret is for");
}

async function create(cli: Cli, given: About): Promise<void> {
  const token = newToken();
  const made = await lineOf(token, given);
  cli.out.show({ token, ...made }, () => token);
  cli.out.note(
    `The token is above, and shown this once. ${TOKENS_VARIABLE} gets its line:\n\n  ${made.line}\n`,
  );
  cli.out.note(howTo(given, made.command));
}

async function hash(cli: Cli, given: About): Promise<void> {
  const token = await readToken(cli);
  if (!isStrong(token))
    misused(`A token has at least ${MIN_TOKEN_LENGTH} characters.`, "greenlight token create makes one.");
  if (/\s/.test(token)) misused("A token has no spaces in it: a header could not carry it.");
  const made = await lineOf(token, given);
  cli.out.show(made, () => made.line);
  cli.out.note(howTo(given, made.command));
}

/** The token, never from the command line, where others on the machine would see it. */
async function readToken(cli: Cli): Promise<string> {
  if (!cli.out.interactive) return (await text(process.stdin)).trim();
  const { password } = await import("@inquirer/prompts");
  return await password({ message: "Token" }, { output: process.stderr, signal: cli.interrupted });
}

/** The line, put into the file where one is named; and the command that sets the secret. */
async function lineOf(token: string, { name, role, expires, into, env }: About) {
  const line = tokenLine({ name, role, sha256: hashToken(token), expires });
  // Hashes alone, and yet nobody else's business.
  if (into !== undefined) await appendFile(into, `${line}\n`, { mode: 0o600 });
  const where = env === undefined ? "" : ` --env ${env}`;
  const from = into === undefined ? "" : ` < ${quoted(into)}`;
  const command = `npx wrangler secret put ${TOKENS_VARIABLE}${where}${from}`;
  return {
    line,
    name,
    role,
    expires: expires === undefined ? null : new Date(expires).toISOString(),
    command,
  };
}

/** As a shell reads it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function howTo({ into }: About, command: string): string {
  const all =
    into === undefined
      ? "The secret holds the lines of all tokens, separated by spaces, and cannot be read back: enter the others besides."
      : `It is in ${into} too, which should hold the lines of all tokens.`;
  return `${all}\n\n  ${command}\n`;
}

function name(given: string): string {
  if (isName(given)) return given;
  throw new InvalidArgumentError(`${NAME_WORDS} was expected`);
}

/** `90d` from now, or a day. Milliseconds since the epoch, in whole seconds so that the line stays short. */
function moment(given: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(given) ? Date.parse(given) : Date.now() + lengthOf(given);
  if (!(at > Date.now()))
    throw new InvalidArgumentError("a time such as 90d, or a day to come, was expected");
  return Math.ceil(at / 1000) * 1000;
}

function lengthOf(given: string): number {
  return /^\d+(\.\d+)?\s?[a-z]+$/i.test(given) ? ms(given as StringValue) : Number.NaN;
}
