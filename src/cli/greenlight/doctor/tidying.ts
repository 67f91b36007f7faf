/** The doctor's looks at what should be tidied up: flags that are done, overrides that have ended, words that are missing. */
import { at, each, one } from "./each-flag.ts";
import type { Check } from "./facts.ts";

const DAY_MS = 86_400_000;
/** A release that is on for everybody is tidied up within so long: ORCA's policy, milliseconds. */
const CLEAN_UP_MS = 14 * DAY_MS;
/** A flag is looked at once a quarter, milliseconds. */
const REVIEW_MS = 92 * DAY_MS;
/** Overrides that end so soon are told, milliseconds. */
const ENDS_SOON_MS = 3 * DAY_MS;

export const tidyingChecks: Check[] = [
  {
    name: "override-expiry",
    about: "an override has ended, or ends within three days",
    look: each(({ name, flag: { overrides }, facts: { now } }) => {
      const all = [
        ...Object.values(overrides.users).map((o) => ({ ...o, of: "users" })),
        ...Object.values(overrides.tenants).map((o) => ({ ...o, of: "tenants" })),
      ].flatMap(({ of, expires }) =>
        expires === undefined ? [] : [{ of, left: Date.parse(expires) - now }],
      );
      // Ids are people's: they are counted, never named.
      return ["users", "tenants"].flatMap((of) => {
        const ended = all.filter((o) => o.of === of && o.left <= 0).length;
        const ending = all.filter((o) => o.of === of && o.left > 0 && o.left <= ENDS_SOON_MS).length;
        const where = at(name, `overrides.${of}`);
        return [
          ...(ended > 0
            ? one(
                "info",
                `Overrides that have ended: ${ended}.`,
                where,
                `greenlight override ${name} --remove --user ID (or --tenant ID) takes them out one by one; greenlight get ${name} --written has them.`,
              )
            : []),
          ...(ending > 0
            ? one(
                "info",
                `Overrides that end within three days: ${ending}.`,
                where,
                "Set them anew where they are still needed.",
              )
            : []),
        ];
      });
    }),
  },
  {
    name: "done",
    about: "a release has been on for everybody for more than two weeks",
    look: each(({ name, flag, facts: { specs, now } }) => {
      if (flag.kind !== "release" && flag.kind !== "experiment") return [];
      const isWhole = flag.state === "on" || (flag.state === "canary" && flag.percentage === 100);
      const view = specs?.ok ? specs.value.find((spec) => spec.name === name) : undefined;
      if (!isWhole || !view?.updatedAt || now - view.updatedAt <= CLEAN_UP_MS) return [];
      const days = Math.floor((now - view.updatedAt) / DAY_MS);
      return one(
        "info",
        `Everybody has been on it for ${days} days.`,
        `flags.${name}`,
        `Take the old code out, then greenlight delete ${name}; or say kind: operational.`,
      );
    }),
  },
  {
    name: "remove-by",
    about: "the day by which a flag should be gone has passed",
    look: each(({ name, flag: { removeBy }, facts: { now } }) =>
      removeBy !== undefined && Date.parse(removeBy) <= now
        ? one(
            "warning",
            `It should be gone since ${removeBy}.`,
            at(name, "removeBy"),
            `greenlight delete ${name}, or give it another day.`,
          )
        : [],
    ),
  },
  {
    name: "undescribed",
    about: "a flag has no description or no owner",
    look: each(({ name, flag: { description, owner } }) => {
      const missing = [...(description ? [] : ["description"]), ...(owner ? [] : ["owner"])];
      return missing.length === 0
        ? []
        : one(
            "info",
            `It has no ${missing.join(" and no ")}.`,
            `flags.${name}`,
            "Say what it is for and whom to wake.",
          );
    }),
  },
  {
    name: "review",
    about: "nobody has looked at a flag for a quarter",
    look: each(({ name, flag: { reviewedAt }, facts: { now } }) =>
      reviewedAt !== undefined && now - Date.parse(reviewedAt) > REVIEW_MS
        ? one(
            "info",
            `It was last looked at on ${reviewedAt.slice(0, 10)}.`,
            at(name, "reviewedAt"),
            "Look whether it is still right, and set reviewedAt to today.",
          )
        : [],
    ),
  },
];
