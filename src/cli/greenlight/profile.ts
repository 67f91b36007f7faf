/** Which router is meant, and the token for it: from options, the environment, the local session or a kept profile. */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { EXIT } from "./exit.ts";
import { misused, stop } from "./failure.ts";

/** A router and the way in. */
export interface Profile {
  /** Name of the profile; `local` of `npm start`; null from options or the environment. */
  name: string | null;
  /** Origin of a host that the admin API answers on, without a slash at the end. */
  url: string;
  token: string | undefined;
  /** Environment of wrangler.toml that it is deployed from; undefined: the top level. */
  env?: string | undefined;
  /** Of the local router: folder of its KV; undefined: the usual one. */
  state?: string | undefined;
  /** Where it was found, for people. */
  source: string;
}

/** What says which profile is meant. */
export interface Choice {
  profile?: string | undefined;
  url?: string | undefined;
  tokenFile?: string | undefined;
}

/** One of the kept profiles. */
export interface Kept {
  url: string;
  token: string;
  env?: string;
}

/** `profiles.json` as it is kept. */
export interface Profiles {
  default: string | null;
  profiles: Record<string, Kept>;
}

/** Name of the profile that `npm start` writes. */
export const LOCAL = "local";
/** The file of it, below the project. */
const LOCAL_FILE = join(".greenlight", "local.json");
/** Others than the owner may not read a file with tokens. */
const OTHERS = 0o077;

/** Path of the file with the kept profiles. */
export function profilesFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "greenlight", "profiles.json");
}

/** The kept profiles; none where there is no file. Refuses a file that others can read. */
export async function readProfiles(env: NodeJS.ProcessEnv = process.env): Promise<Profiles> {
  const file = profilesFile(env);
  const text = await readIfThere(file);
  if (text === undefined) return { default: null, profiles: {} };
  await refuseReadable(file);
  return json<Profiles>(file, text);
}

/** Keeps them, for the owner's eyes alone. */
export async function writeProfiles(kept: Profiles, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const file = profilesFile(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return file;
}

/**
 * The router that is meant: `--url`, then GREENLIGHT_URL, then `--profile` or GREENLIGHT_PROFILE, then the session of
 * `npm start`, then the default profile. What is named with `--profile` beats the environment's URL.
 */
export async function chooseProfile(
  choice: Choice,
  env: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): Promise<Profile> {
  const fromFile = choice.tokenFile === undefined ? undefined : await tokenIn(choice.tokenFile);
  const token = fromFile ?? (env.GREENLIGHT_TOKEN?.trim() || undefined);
  if (choice.url !== undefined) return { name: null, url: origin(choice.url), token, source: "--url" };
  if (choice.profile === undefined && env.GREENLIGHT_URL)
    return { name: null, url: origin(env.GREENLIGHT_URL), token, source: "GREENLIGHT_URL" };
  const named = choice.profile ?? (env.GREENLIGHT_PROFILE || undefined);
  const found = named === undefined ? await unnamed(env, cwd) : await byName(named, env, cwd);
  // A token of the environment is for the URL of the environment: never for another host.
  return fromFile === undefined ? found : { ...found, token: fromFile };
}

async function byName(name: string, env: NodeJS.ProcessEnv, cwd: string): Promise<Profile> {
  const kept = await readProfiles(env);
  const profile = kept.profiles[name];
  if (profile) return { name, ...profile, source: profilesFile(env) };
  const local = name === LOCAL ? await localProfile(cwd) : undefined;
  if (local) return local;
  const names = Object.keys(kept.profiles);
  return misused(
    `There is no profile ${name}.`,
    name === LOCAL
      ? "Start a local router with npm start."
      : `${names.length > 0 ? `There are: ${names.join(", ")}. ` : ""}Make it with greenlight login --profile ${name}.`,
  );
}

async function unnamed(env: NodeJS.ProcessEnv, cwd: string): Promise<Profile> {
  const local = await localProfile(cwd);
  if (local) return local;
  const kept = await readProfiles(env);
  const name = kept.default;
  const profile = name === null ? undefined : kept.profiles[name];
  if (profile) return { name, ...profile, source: profilesFile(env) };
  return misused(
    "No router is known.",
    "Start one with npm start, or name yours: greenlight login, --url URL, or GREENLIGHT_URL and GREENLIGHT_TOKEN.",
  );
}

/** The session of `npm start` of the project that the working folder is in; undefined where there is none. */
export async function localProfile(cwd: string): Promise<Profile | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, LOCAL_FILE);
    const text = await readIfThere(file);
    if (text !== undefined) {
      await refuseReadable(file);
      const { url, token, state } = json<{ url: string; token: string; state?: string }>(file, text);
      return { name: LOCAL, url: origin(url), token, state, source: file };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** Origin of an address that a person wrote: `router.example.com` is https, paths are dropped. */
export function origin(text: string): string {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    return misused(
      `${JSON.stringify(text)} is no address of a router.`,
      "https://router.example.com is one.",
    );
  return url.origin;
}

/** Is it this machine? A token may go there without TLS. */
export function isLocal(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

async function tokenIn(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text === undefined)
    return misused(`There is no file ${file}.`, "--token-file names a file that holds a token.");
  return text.trim();
}

async function readIfThere(file: string): Promise<string | undefined> {
  return await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    return stop({ exit: EXIT.usage, sentence: `${file} cannot be read: ${error.code}.` });
  });
}

async function refuseReadable(file: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode } = await stat(file);
  if ((mode & OTHERS) !== 0) misused(`${file} holds a token and others can read it.`, `chmod 600 ${file}`);
}

function json<T>(file: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return misused(`${file} is not JSON.`, "Mend it, or delete it and log in again.");
  }
}
