/** `greenlight login`, `logout`, `profiles`, `whoami`: which routers are known, and as whom. */
import { Command } from "commander";
import type { WhoView } from "../../../core/api/views.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { Api } from "../client.ts";
import { misused } from "../failure.ts";
import {
  chooseProfile,
  isLocal,
  localProfile,
  origin,
  profilesFile,
  readProfiles,
  writeProfiles,
} from "../profile.ts";
import { table } from "../table.ts";

/** Name of a profile for which none was said. */
const DEFAULT_NAME = "default";

/** URL and token as said, or asked for where there is a terminal. */
async function credentials(cli: Cli): Promise<{ url: string; token: string }> {
  const { url: said, tokenFile } = cli.options;
  const given =
    said === undefined || tokenFile === undefined ? undefined : await chooseProfile({ url: said, tokenFile });
  if (given?.token) return { url: given.url, token: given.token };
  if (!cli.out.interactive) misused("There is no terminal to ask at.", "Say --url and --token-file.");
  const { input, password } = await import("@inquirer/prompts");
  const context = { output: process.stderr, signal: cli.interrupted };
  const url = origin(said ?? (await input({ message: "Address of the router:" }, context)));
  const token = tokenFile
    ? (await chooseProfile({ url, tokenFile })).token
    : await password({ message: "Token (it is not shown):" }, context);
  if (!token?.trim()) misused("No token was given.");
  return { url, token: token.trim() };
}

export const loginCommand: CommandFactory = (cli) =>
  new Command("login")
    .description(
      "Keeps a router's address and a token as a profile, once the router has said that it knows it.",
    )
    .option("--default", "what is meant where nothing is said", false)
    .option(
      "--env <name>",
      "environment of wrangler.toml that it is deployed from; default: one of the profile's name",
    )
    .action(async ({ default: first, env }: { default: boolean; env?: string }) => {
      const name = cli.options.profile ?? DEFAULT_NAME;
      const { url, token } = await credentials(cli);
      if (!isLocal(url) && url.startsWith("http:"))
        misused(`${url} is not encrypted: the token could be read on the way.`, "Use https.");
      const profile = { name, url, token, source: "this login" };
      const api = new Api(profile, cli.options.timeout * 1000, cli.interrupted);
      const who = await cli.busy(`asking ${url}`, () => api.ask<WhoView>("/whoami"));
      const kept = await readProfiles();
      kept.profiles[name] = { url, token, ...(env !== undefined && { env }) };
      if (first || kept.default === null) kept.default = name;
      const file = await writeProfiles(kept);
      cli.out.show(
        { profile: name, url, ...who, default: kept.default === name },
        () => `${cli.out.paint.green("✓")} ${name}: ${url} as ${who.name} (${who.role}), kept in ${file}`,
      );
    });

export const logoutCommand: CommandFactory = (cli) =>
  new Command("logout")
    .description("Forgets a profile and its token.")
    .argument("[profile]", "its name; else that of --profile, else the default")
    .action(async (word: string | undefined) => {
      const kept = await readProfiles();
      const name = word ?? cli.options.profile ?? kept.default;
      if (name === null || !kept.profiles[name])
        misused(`There is no profile ${name ?? ""} to forget.`.replace("  ", " "));
      delete kept.profiles[name];
      if (kept.default === name) kept.default = null;
      await writeProfiles(kept);
      cli.out.show({ profile: name }, () => `${name} is forgotten here. The router still knows its token.`);
    });

export const profilesCommand: CommandFactory = (cli) =>
  new Command("profiles")
    .description("Lists the routers that are known, without their tokens.")
    .action(async () => {
      const kept = await readProfiles();
      const local = await localProfile(process.cwd());
      const meant = await chooseProfile(cli.options).catch(() => undefined);
      const all = [
        ...(local ? [{ name: "local", url: local.url, env: "", source: local.source }] : []),
        ...Object.entries(kept.profiles).map(([name, { url, env }]) => ({
          name,
          url,
          env: env ?? "",
          source: profilesFile(),
        })),
      ].map((profile) => ({ ...profile, meant: meant?.name === profile.name }));
      cli.out.show(all, () =>
        all.length === 0
          ? "No profiles. greenlight login makes one; npm start makes local."
          : table(
              cli.out,
              ["", "profile", "url", "environment", "kept in"],
              all.map(({ name, url, env, source, meant: now }) => [now ? "→" : "", name, url, env, source]),
            ),
      );
    });

export const whoamiCommand: CommandFactory = (cli) =>
  new Command("whoami")
    .description("Says as whom the router knows the token, and what it may do.")
    .action(async () => {
      const api = await cli.api();
      const who = await api.ask<WhoView>("/whoami");
      const { url, name, source } = api.profile;
      cli.out.show(
        { ...who, url, profile: name },
        () => `${who.name} (${who.role}) at ${url}, by ${name === null ? source : `profile ${name}`}`,
      );
    });
