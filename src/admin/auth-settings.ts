/** The variables that say who may get in, read once per isolate and text; what is wrong with them is logged then. */
import { type KnownToken, parseTokens } from "../core/auth/tokens.ts";
import { configOf } from "../edge/config.ts";
import { type AccessConfig, readAccess } from "./access.ts";

/** What the variables say. */
export interface AuthSettings {
  tokens: readonly KnownToken[];
  access: AccessConfig | undefined;
  /** What is wrong, for those who are shut out; the log has it with the names of the tokens. */
  faults: readonly string[];
}

const UNREAD =
  "ADMIN_TOKEN is no longer read: put its hash into ADMIN_TOKENS (greenlight token hash), then delete it";

let last: { text: string; settings: AuthSettings } | undefined;

/** The settings of this environment. Data only: it is shared by the requests of the isolate. */
export function authSettings(env: Env): AuthSettings {
  const { ADMIN_TOKENS, ADMIN_TOKEN, ADMIN_HOSTS, ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES } = env;
  const text = JSON.stringify([
    ADMIN_TOKENS,
    !ADMIN_TOKEN,
    ADMIN_HOSTS,
    ACCESS_TEAM,
    ACCESS_AUD,
    ACCESS_ROLES,
  ]);
  if (last?.text !== text) last = { text, settings: read(env) };
  return last.settings;
}

function read(env: Env): AuthSettings {
  const { tokens, faults } = parseTokens(env.ADMIN_TOKENS ?? "");
  const access = readAccess(env);
  // A page of an application on the same origin would be let in with whoever looks at it.
  if (access.config && configOf(env).adminHosts.length === 0) {
    access.config = undefined;
    access.faults.push("ACCESS_TEAM counts only with ADMIN_HOSTS: give the API a host of its own");
  }
  const told = [...(env.ADMIN_TOKEN ? [UNREAD] : []), ...access.faults];
  const all = [...told, ...faults];
  if (all.length > 0) console.warn(JSON.stringify({ level: "warn", event: "auth-settings", faults: all }));
  if (faults.length > 0)
    told.push(`ADMIN_TOKENS has lines that cannot be read (${faults.length}): the log says which`);
  return { tokens, access: access.config, faults: told };
}
