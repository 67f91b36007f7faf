/** The doctor's looks at single flags: what cannot work as it is written. */
import { TENANT } from "../../../core/flag/members.ts";
import type { Flag } from "../../../core/flag/schema.ts";
import { at, each, one } from "./each-flag.ts";
import type { Check, Finding } from "./facts.ts";

function isLive({ state }: Flag): boolean {
  return state === "on" || state === "canary";
}

/** Is a name matched that only `trusted` vouches for? In lists of keys, groups or tenants. */
function unvouched({ cohorts, overrides, stickBy }: Flag): string[] {
  const fields: string[] = [];
  for (const [name, { users, groups, tenants, segments, attributes, select }] of Object.entries(cohorts)) {
    const isListed = users.length + groups.length + tenants.length + segments.length > 0;
    if (isListed || select !== undefined || Object.keys(attributes).length > 0)
      fields.push(`cohorts.${name}`);
  }
  const byAddress = stickBy[0] === "ip";
  if (Object.keys(overrides.users).length > 0 && !byAddress) fields.push("overrides.users");
  if (Object.keys(overrides.tenants).length > 0) fields.push("overrides.tenants");
  return fields;
}

export const flagChecks: Check[] = [
  {
    name: "same-origin",
    about: "blue and green are the same origin",
    look: each(({ name, flag: { route } }) =>
      route && route.blue === route.green
        ? one(
            "error",
            "Blue and green are the same origin: a rollout changes nothing.",
            at(name, "route.green"),
            `greenlight set ${name} off, or name the other origin.`,
          )
        : [],
    ),
  },
  {
    name: "untrusted",
    about: "ids or attributes are to match lists, and no `trusted` says who vouches for them",
    look: each(({ name, flag }) => {
      if (!flag.route || flag.route.trusted !== undefined) return [];
      const mend = "Say who vouches for them: route.trusted is access, mtls or verified-jwt.";
      const lists = unvouched(flag).map(
        (field): Finding => ({
          level: "warning",
          what: `${field} names people whom nobody vouches for: it matches no visitor.`,
          where: at(name, field),
          mend,
        }),
      );
      const sources = flag.stickBy.filter((source) => /^(header|jwt):/.test(source));
      const placed =
        sources.length > 0 && lists.length === 0
          ? one(
              "info",
              `${sources.join(", ")} places by bucket alone: nobody vouches for it, so its visitors stay out of comparisons.`,
              at(name, "stickBy"),
              mend,
            )
          : [];
      return [...lists, ...placed];
    }),
  },
  {
    name: "tenant-source",
    about: "tenants are named, and `context.tenant` does not say where a visitor's tenant comes from",
    look: each(({ name, flag }) => {
      if (!flag.route || Object.hasOwn(flag.context, TENANT)) return [];
      const cohorts = Object.entries(flag.cohorts).filter(
        ([, { tenants, select }]) => tenants.length > 0 || select !== undefined,
      );
      const fields = cohorts.map(([cohort]) => `cohorts.${cohort}`);
      if (Object.keys(flag.overrides.tenants).length > 0) fields.push("overrides.tenants");
      return fields.flatMap((field) =>
        one(
          "error",
          `${field} names tenants, and nothing says whose a visitor is.`,
          at(name, field),
          "Add context.tenant, such as header:x-tenant-id.",
        ),
      );
    }),
  },
  {
    name: "dependency-off",
    about: "a flag is on or in canary, and one that it depends on is off",
    look: each(({ name, flag, facts }) => {
      if (!isLive(flag)) return [];
      const { flags } = facts.document!.parsed;
      return flag.dependencies
        .filter((needed) => !flags.has(needed) || !isLive(flags.get(needed)!))
        .flatMap((needed) =>
          one(
            "warning",
            `It depends on ${needed}, which is ${flags.get(needed)?.state ?? "broken or not there"}: it is off for everybody.`,
            at(name, "dependencies"),
            `greenlight set ${needed} on, or take the dependency out.`,
          ),
        );
    }),
  },
  {
    name: "environment",
    about: "a flag is for other environments than the Worker's",
    look: each(({ name, flag: { environments }, facts: { health } }) => {
      if (environments.length === 0 || !health?.ok || health.value.environment === undefined) return [];
      const { environment } = health.value;
      if (environment === null)
        return one(
          "error",
          "It is for certain environments, and the Worker does not say which it is: it is off everywhere.",
          at(name, "environments"),
          "Set ENVIRONMENT in wrangler.toml and deploy.",
        );
      if (environments.includes(environment)) return [];
      return one(
        "info",
        `It is off here: the Worker is ${environment}.`,
        at(name, "environments"),
        `Add ${environment} where it should count here too.`,
      );
    }),
  },
  {
    name: "notify-secret",
    about: "a receiver of messages, or a gauge that is fetched, names a secret that the Worker does not have",
    look: ({ document, secrets, local }) => {
      if (!document || !secrets) return [];
      const named = new Map<string, string>();
      const { notify, flags } = document.parsed;
      const note = (where: string, value: unknown) => {
        for (const text of Object.values((value ?? {}) as Record<string, unknown>))
          if (typeof text === "string" && text.startsWith("secret:"))
            named.set(text.slice("secret:".length), where);
      };
      for (const [name, receiver] of Object.entries(notify?.receivers ?? {}))
        note(`notify.receivers.${name}`, receiver);
      note("notify.audit", notify?.audit);
      for (const [flag, { pulls }] of flags)
        for (const [name, pull] of Object.entries(pulls)) note(`flags.${flag}.pulls.${name}`, pull);
      return [...named]
        .filter(([secret]) => !secrets.has(secret))
        .flatMap(([secret, where]) =>
          one(
            "error",
            `The Worker has no secret ${secret}: nothing reaches it.`,
            where,
            local ? `Add ${secret}=… to .dev.vars.` : `npx wrangler secret put ${secret}`,
          ),
        );
    },
  },
];
