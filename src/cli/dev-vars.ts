/** The way into the local router: `.dev.vars` with the token's hash for the Worker, a file with the token for people. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import { hashToken, isStrong, parseTokens, tokenLine } from "../core/auth/tokens.ts";
import { newToken } from "./new-token.ts";

/** Where the command line looks for the local router, below the repository. */
export const LOCAL_SESSION = ".greenlight/local.json";
/** Name of the token in `ADMIN_TOKENS` and in the audit log. */
const LOCAL = "local";
/** Only the owner may read it. */
const PRIVATE = 0o600;
/** The lines of the tokens, with a value in quotes that goes over several lines. */
const TOKEN_LINES = /^(?:export[ \t]+)?ADMIN_TOKENS?[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|.*)[^\n]*\n?/gm;

/**
 * Makes sure that there is a token of role admin, writes it with `url` into `session` for the command line, and returns
 * it. The clear `ADMIN_TOKEN` of former versions is carried over. Other tokens and lines of `.dev.vars` stay. `state` is
 * the folder of the local KV, for commands that go past the router.
 */
export async function localAccess(
  devVars: string,
  session: string,
  url: string,
  state?: string,
): Promise<string> {
  const text = await readFile(devVars, "utf8").catch(() => "");
  const { ADMIN_TOKENS = "", ADMIN_TOKEN = "" } = parseEnv(text);
  const kept = await sessionToken(session);
  const isKept = kept !== undefined && opens(ADMIN_TOKENS, kept);
  const token = isKept ? kept : isStrong(ADMIN_TOKEN) ? ADMIN_TOKEN : newToken();
  await writePrivate(session, `${JSON.stringify({ url, token, state }, null, 2)}\n`);
  if (isKept) return token;
  const line = tokenLine({ name: LOCAL, role: "admin", sha256: hashToken(token), expires: undefined });
  const others = ADMIN_TOKENS.split(/\s+/).filter((entry) => entry !== "" && !entry.startsWith(`${LOCAL}:`));
  const rest = text.replace(TOKEN_LINES, "").replace(/([^\n])$/, "$1\n");
  await writePrivate(devVars, `${rest}ADMIN_TOKENS="${[...others, line].join(" ")}"\n`);
  return token;
}

/** Does the Worker let the token of the last session in? It must not expire: nobody would look here for why. */
function opens(known: string, token: string): boolean {
  const sha256 = hashToken(token);
  const same = parseTokens(known).tokens.find((t) => t.sha256 === sha256);
  return same?.role === "admin" && same.expires === undefined && isStrong(token);
}

async function sessionToken(path: string): Promise<string | undefined> {
  try {
    const { token } = JSON.parse(await readFile(path, "utf8")) as { token?: unknown };
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: PRIVATE });
  // The mode above counts for a new file only.
  await chmod(path, PRIVATE);
}
