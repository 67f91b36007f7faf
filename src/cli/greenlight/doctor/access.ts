/** The doctor's looks at the way in: profile, address, token, role, files with tokens. */
import type { Asked, Check, Facts, Finding } from "./facts.ts";

/** Others than the owner may not read a file with a token. */
const OTHERS = 0o077;
/** A token that ends so soon should be replaced now, milliseconds. */
const SOON_MS = 14 * 86_400_000;

function finding(level: Finding["level"], what: string, where: string, mend: string): Finding {
  return { level, what, where, mend };
}

function urlOf({ profile }: Facts): string {
  return profile.ok ? profile.url : "";
}

/** Why the API refuses: only where it answered. */
function refusal(asked: Asked<unknown> | undefined): { status: number; type: string } | undefined {
  return asked && !asked.ok && asked.status !== undefined
    ? { status: asked.status, type: asked.type?.split(":").at(-1) ?? "" }
    : undefined;
}

export const accessChecks: Check[] = [
  {
    name: "profile",
    about: "no router is known to ask",
    look: ({ profile }) => (profile.ok ? [] : [finding("error", profile.sentence, "profile", profile.hint)]),
  },
  {
    name: "reach",
    about: "the router cannot be reached, or something else answers at its address",
    look: (facts) => {
      const { health, profile, local } = facts;
      if (!profile.ok || health === undefined || health.ok) return [];
      const mend = local
        ? "Start it with npm start. The kill key and edits work without it: --kv."
        : "Look at the address in the profile (greenlight profiles). The kill key works without it: greenlight kill FLAG --kv.";
      return [finding("error", health.sentence, profile.url, mend)];
    },
  },
  {
    name: "plain-http",
    about: "a token goes over plain http to another machine",
    look: (facts) => {
      const url = urlOf(facts);
      if (facts.local || !url.startsWith("http://")) return [];
      return [finding("error", "The token is sent without TLS.", url, "greenlight login with https://.")];
    },
  },
  {
    name: "token",
    about: "there is no token, a wrong or expired one, or the admin API is shut",
    look: (facts) => {
      const { profile, who } = facts;
      const refused = refusal(who);
      if (!profile.ok || !refused) return [];
      if (refused.type === "admin-api-shut")
        return [
          finding(
            "error",
            "The admin API is shut: the Worker has no ADMIN_TOKENS.",
            profile.url,
            "greenlight token create --name NAME --role admin, then wrangler secret put ADMIN_TOKENS.",
          ),
        ];
      if (refused.status === 429)
        return [
          finding(
            "error",
            "Too many failed attempts from this address.",
            profile.url,
            "Wait a minute, then greenlight login.",
          ),
        ];
      if (refused.status !== 401 && refused.status !== 403) return [];
      const what = profile.token ? "The token is not taken there." : "There is no token to ask with.";
      return [finding("error", what, profile.source, "greenlight login")];
    },
  },
  {
    name: "role",
    about: "the token may do too little for a night on call",
    look: ({ who, profile }) => {
      if (!who?.ok || !profile.ok) return [];
      const { name, role } = who.value;
      if (role === "operator" || role === "admin") return [];
      const what =
        role === "reporter"
          ? `The token ${name} may only push events, gauges and alerts.`
          : `The token ${name} may only read: it cannot kill or roll back.`;
      const mend = `greenlight token create --name ${name} --role operator, then greenlight login.`;
      return [finding(role === "reporter" ? "error" : "warning", what, profile.source, mend)];
    },
  },
  {
    name: "token-expiry",
    about: "the token ends within two weeks, or has ended",
    look: ({ who, profile, devVars, now }) => {
      const own =
        who?.ok && profile.ok
          ? [{ name: who.value.name, expires: who.value.expires, where: profile.source }]
          : [];
      const local = (devVars?.tokens ?? []).map((token) => ({ ...token, where: devVars!.path }));
      return [...own, ...local].flatMap(({ name, expires, where }) => {
        if (expires === undefined || expires - now > SOON_MS) return [];
        const day = new Date(expires).toISOString().slice(0, 10);
        const mend = `greenlight token create --name ${name} makes the next one; both count until this one ends.`;
        return expires <= now
          ? [finding("warning", `The token ${name} ended on ${day}.`, where, mend)]
          : [finding("warning", `The token ${name} ends on ${day}.`, where, mend)];
      });
    },
  },
  {
    name: "token-file",
    about: "others on this machine can read a file with tokens",
    look: ({ files }) =>
      files
        .filter(({ mode }) => (mode & OTHERS) !== 0)
        .map(({ path }) =>
          finding("error", "Others on this machine can read its tokens.", path, `chmod 600 ${path}`),
        ),
  },
  {
    name: "admin-host",
    about: "the address is no host of the admin API",
    look: (facts) => {
      const { who, health } = facts;
      if (!health?.ok || refusal(who)?.type !== "not-found") return [];
      return [
        finding(
          "error",
          "The router answers there, its admin API does not: the host is not in ADMIN_HOSTS, or a route names it.",
          urlOf(facts),
          "Add the host to ADMIN_HOSTS in wrangler.toml and deploy, or log in at the workers.dev name.",
        ),
      ];
    },
  },
  {
    name: "admin-tokens",
    about:
      "ADMIN_TOKENS of `.dev.vars` has lines that are no tokens, or the former ADMIN_TOKEN is still there",
    look: ({ devVars }) => {
      if (!devVars) return [];
      const mend = "greenlight token create prints a line as it has to be.";
      const faults = devVars.tokenFaults.map((fault) =>
        finding("error", `ADMIN_TOKENS: ${fault}.`, devVars.path, mend),
      );
      const former = devVars.names.includes("ADMIN_TOKEN")
        ? [
            finding(
              "info",
              "ADMIN_TOKEN is no longer read.",
              devVars.path,
              "Take the line out once ADMIN_TOKENS is there.",
            ),
          ]
        : [];
      return [...faults, ...former];
    },
  },
];
