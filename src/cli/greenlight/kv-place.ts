/** Which namespace `--kv` means: the one of the router that the profile names. */
import { join } from "node:path";
import { ROOT } from "../bundle.ts";
import { readSettings } from "../settings.ts";
import type { Cli } from "./cli.ts";
import { type KvPlace, type WranglerKv, wranglerKv } from "./kv.ts";
import { isLocal, type Profile } from "./profile.ts";

/** Where the flags of a profile are. Asks nothing of the network. */
export async function placeOf(profile: Profile, env: NodeJS.ProcessEnv = process.env): Promise<KvPlace> {
  if (isLocal(profile.url)) return { remote: false, state: profile.state };
  return { remote: true, env: env.CLOUDFLARE_ENV ?? profile.env ?? (await environmentOf(profile.name)) };
}

/** The namespace of the router that is meant. */
export async function kvOf(cli: Cli): Promise<WranglerKv> {
  return wranglerKv(await placeOf(await cli.profile()));
}

/** The environment of wrangler.toml that is called as the profile; undefined: the top level. */
async function environmentOf(profile: string | null): Promise<string | undefined> {
  if (profile === null) return undefined;
  const { definedEnvironments } = await readSettings(join(ROOT, "wrangler.toml"));
  return definedEnvironments.includes(profile) ? profile : undefined;
}
