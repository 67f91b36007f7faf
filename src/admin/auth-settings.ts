/** The variables that say who may get in, read once per isolate and text; what is wrong with them is logged then. */
import { type KnownToken, parseTokens } from "../core/auth/tokens.ts";
import { type AccessConfig, readAccess } from "./access.ts";

/** What the variables say. */
export interface AuthSettings {
  tokens: readonly KnownToken[];
  access: AccessConfig | undefined;
  /** What is wrong, in sentences without secrets. */
  faults: readonly string[];
}

const UNREAD =
  "ADMIN_TOKEN is no longer read: put its hash into ADMIN_TOKENS (greenlight token hash), then delete it";

let last: { text: string; settings: AuthSettings } | undefined;

/** The settings of this environment. Data only: it is shared by the requests of the isolate. */
export function authSettings(env: Env): AuthSettings {
  const { ADMIN_TOKENS, ADMIN_TOKEN, ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES } = env;
  const text = JSON.stringify([ADMIN_TOKENS, !ADMIN_TOKEN, ACCESS_TEAM, ACCESS_AUD, ACCESS_ROLES]);
  if (last?.text !== text) last = { text, settings: read(env) };
  return last.settings;
}

function read(env: Env): AuthSettings {
  const { tokens, faults } = parseTokens(env.ADMIN_TOKENS ?? "");
  const access = readAccess(env);
  const all = [...(env.ADMIN_TOKEN ? [UNREAD] : []), ...faults, ...access.faults];
  if (all.length > 0) console.warn(JSON.stringify({ level: "warn", event: "auth-settings", faults: all }));
  return { tokens, access: access.config, faults: all };
}
