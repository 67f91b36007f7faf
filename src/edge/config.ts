/** What the Worker's variables say, checked once per isolate. */
import "./env.ts";
import { shardCount } from "./objects.ts";

/** The variables in checked form. */
export interface Config {
  /** Between two background reads of KV, milliseconds. */
  refreshMs: number;
  shards: number;
  /** Where everything goes that no route matches, or undefined. */
  defaultOrigin: string | undefined;
  /** Hosts of the admin API, in lower case; empty where ADMIN_HOSTS is: then localhost and the workers.dev name. */
  adminHosts: readonly string[];
  /** Name of the environment, or undefined. */
  environment: string | undefined;
  /** Where flags are overridden from; undefined unless ENV_OVERRIDES is `true`. */
  overrides: Readonly<Record<string, unknown>> | undefined;
}

/** Default of KV_REFRESH_SECONDS, and its limits. KV itself caches for 30 s or more. */
const REFRESH_SECONDS = 10;
const MIN_REFRESH_SECONDS = 1;
const MAX_REFRESH_SECONDS = 300;

/** An origin as in a route. */
const ORIGIN = /^(https?:\/\/[^/?#@\s]+|service:[A-Za-z_][A-Za-z0-9_]*)$/;

let known: { env: Env; config: Config } | undefined;

/** The configuration of this environment. What is out of range counts as not set. */
export function configOf(env: Env): Config {
  if (known?.env === env) return known.config;
  const seconds = Number(env.KV_REFRESH_SECONDS);
  const sane = seconds >= MIN_REFRESH_SECONDS && seconds <= MAX_REFRESH_SECONDS;
  const origin = env.DEFAULT_ORIGIN?.replace(/\/$/, "");
  const config = {
    refreshMs: (sane ? seconds : REFRESH_SECONDS) * 1000,
    shards: shardCount(env),
    defaultOrigin: origin !== undefined && ORIGIN.test(origin) ? origin : undefined,
    adminHosts: (env.ADMIN_HOSTS ?? "")
      .split(",")
      .map((host) => host.trim().toLowerCase())
      .filter(Boolean),
    environment: env.ENVIRONMENT || undefined,
    overrides: env.ENV_OVERRIDES === "true" ? (env as unknown as Record<string, unknown>) : undefined,
  };
  known = { env, config };
  return config;
}
