/** The doctor's looks at the project on this machine: wrangler.toml and its environments, Node, wrangler. */

import type { Check, ConfigFacts, Facts, Finding, Level } from "./facts.ts";
import { older } from "./live.ts";

/** Bindings without which the Worker does not start. */
export const BINDINGS = ["FLAGS", "COUNTERS", "CONTROLLER", "OUTBOX"];
/** Variables that are numbers, with their limits: what is out of range counts as not set. */
const NUMBERS: Record<string, { least: number; most: number; whole: boolean }> = {
  SHARDS: { least: 1, most: 64, whole: true },
  KV_REFRESH_SECONDS: { least: 1, most: 300, whole: false },
};

function one(level: Level, what: string, where: string, mend: string): Finding[] {
  return [{ level, what, where, mend }];
}

function placeOf({ env }: ConfigFacts): string {
  return env === null ? "wrangler.toml" : `wrangler.toml [env.${env}]`;
}

function isProduction({ env, vars }: ConfigFacts): boolean {
  return (vars.ENVIRONMENT ?? env ?? "production") === "production";
}

/** Looks at each environment of wrangler.toml. */
function each(look: (config: ConfigFacts, facts: Facts) => Finding[]): Check["look"] {
  return (facts) => (facts.configs?.ok ? facts.configs.value.flatMap((config) => look(config, facts)) : []);
}

export const projectChecks: Check[] = [
  {
    name: "wrangler-toml",
    about: "wrangler.toml cannot be read",
    look: ({ configs }) =>
      configs && !configs.ok
        ? one("error", configs.sentence, "wrangler.toml", "Mend it; npx wrangler deploy --dry-run says more.")
        : [],
  },
  {
    name: "bindings",
    about: "an environment of wrangler.toml lacks bindings: they are not inherited",
    look: each((config) => {
      const missing = BINDINGS.filter((name) => !config.bindings.includes(name));
      return missing.length === 0
        ? []
        : one(
            "error",
            `Bindings are missing: ${missing.join(", ")}.`,
            placeOf(config),
            "Copy them from the top level: an environment inherits none.",
          );
    }),
  },
  {
    name: "vars",
    about: "an environment of wrangler.toml lacks variables of the top level: they are not inherited",
    look: each((config, { configs }) => {
      const top = configs?.ok ? configs.value.find(({ env }) => env === null) : undefined;
      if (config.env === null || !top) return [];
      const missing = Object.keys(top.vars).filter((name) => !Object.hasOwn(config.vars, name));
      return missing.length === 0
        ? []
        : one(
            "warning",
            `Variables are missing: ${missing.join(", ")}.`,
            placeOf(config),
            "Name them there as well: an environment inherits none.",
          );
    }),
  },
  {
    name: "numbers",
    about: "SHARDS or KV_REFRESH_SECONDS is out of range, and so counts as not set",
    look: each((config) =>
      Object.entries(NUMBERS).flatMap(([name, { least, most, whole }]) => {
        const text = config.vars[name];
        if (text === undefined) return [];
        const n = Number(text);
        if (text.trim() !== "" && n >= least && n <= most && (!whole || Number.isInteger(n))) return [];
        return one(
          "error",
          `${name} is ${JSON.stringify(text)}, which counts as not set.`,
          placeOf(config),
          `A ${whole ? "whole " : ""}number from ${least} to ${most}.`,
        );
      }),
    ),
  },
  {
    name: "compatibility-date",
    about: "the compatibility date is later than the workerd that is installed",
    look: each((config, { workerdDate }) =>
      workerdDate !== undefined && config.compatibilityDate > workerdDate
        ? one(
            "error",
            `The compatibility date ${config.compatibilityDate} is later than workerd's own, ${workerdDate}.`,
            placeOf(config),
            `Take ${workerdDate} or an earlier day.`,
          )
        : [],
    ),
  },
  {
    name: "crons",
    about: "PULL_URL is set and no cron is",
    look: each((config) =>
      config.vars.PULL_URL && config.crons.length === 0
        ? one(
            "error",
            "PULL_URL is set, and nothing calls the pull.",
            placeOf(config),
            'Add [triggers] crons = ["* * * * *"] and deploy.',
          )
        : [],
    ),
  },
  {
    name: "routes",
    about: "routes in wrangler.toml: wrangler dev then rewrites every request's host to the first of them",
    look: each((config, { local }) =>
      local && config.routes.length > 0
        ? one(
            "info",
            `wrangler dev rewrites the host of requests to that of ${config.routes[0]}.`,
            placeOf(config),
            "Keep routes in an environment that is not used for local work.",
          )
        : [],
    ),
  },
  {
    name: "admin-host-routed",
    about: "a host of the admin API is named by a route: the API never answers there",
    look: (facts) => {
      const hosts = new Map<string, string>();
      for (const config of facts.configs?.ok ? facts.configs.value : [])
        for (const host of (config.vars.ADMIN_HOSTS ?? "").split(",").map((h) => h.trim().toLowerCase()))
          if (host) hosts.set(host, placeOf(config));
      if (facts.profile.ok) hosts.set(new URL(facts.profile.url).hostname, "profile");
      return [...(facts.document?.parsed.flags ?? [])].flatMap(([name, { route }]) =>
        (route?.hosts ?? [])
          .filter((host) => hosts.has(host))
          .flatMap((host) =>
            one(
              "error",
              `The route names ${host}, a host of the admin API (${hosts.get(host)}): the API does not answer there.`,
              `flags.${name}.route.hosts`,
              "Give the API a host of its own in ADMIN_HOSTS.",
            ),
          ),
      );
    },
  },
  {
    name: "access-host",
    about: "Cloudflare Access is set up, and the API has no host of its own",
    look: each((config) =>
      config.vars.ACCESS_TEAM && !config.vars.ADMIN_HOSTS?.trim()
        ? one(
            "error",
            "ACCESS_TEAM is set and ADMIN_HOSTS is not: identities of Access do not count.",
            placeOf(config),
            "Give the API a host of its own in ADMIN_HOSTS, and deploy.",
          )
        : [],
    ),
  },
  {
    name: "env-overrides",
    about: "variables may override flags in production",
    look: (facts) => {
      const { health, configs } = facts;
      const mend = "Take ENV_OVERRIDES out, or set it to false, and deploy.";
      const live =
        health?.ok && health.value.envOverrides === true && health.value.environment === "production";
      const written = (configs?.ok ? configs.value : []).filter(
        (config) => config.vars.ENV_OVERRIDES === "true" && isProduction(config),
      );
      return [
        ...(live
          ? one("error", "Variables of the Worker override flags in production.", "router", mend)
          : []),
        ...written.flatMap((config) =>
          one("error", "ENV_OVERRIDES is on in production.", placeOf(config), mend),
        ),
      ];
    },
  },
  {
    name: "node",
    about: "Node is too old to run this",
    look: ({ node }) =>
      older(node.version, node.least)
        ? one(
            "error",
            `Node ${node.version} runs this; ${node.least} is needed.`,
            "this machine",
            "npm ci brings Node along; call it by npx greenlight.",
          )
        : [],
  },
  {
    name: "wrangler-login",
    about: "wrangler is not logged in: --kv and deploys to Cloudflare do not work",
    look: ({ wrangler, local }) =>
      wrangler && !wrangler.loggedIn
        ? one(
            local ? "info" : "warning",
            "wrangler is not logged in: --kv does not reach Cloudflare.",
            "this machine",
            "npx wrangler login, or set CLOUDFLARE_API_TOKEN.",
          )
        : [],
  },
];
