/** The doctor's looks at the document, the kill key and what has been stopped. */
import { parseDocument } from "../../../core/flag/parse.ts";
import { isSwitch } from "../../../core/flag/switches.ts";
import { hashText } from "../../../core/hashing/text.ts";
import { EVERY_FLAG, killedNames } from "../../../core/rollout/kill.ts";
import { EVERY_RELEASE } from "../../../core/rollout/snapshot.ts";
import type { Check, Facts, Finding } from "./facts.ts";

/** The kill text: of KV, or else as the controller read it last. */
function killText({ kv, status }: Facts): string {
  return (kv?.ok ? kv.value.kill : undefined) ?? (status?.ok ? status.value.kill : "");
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ");
}

export const documentChecks: Check[] = [
  {
    name: "no-document",
    about: "there is no flag document yet",
    look: ({ health, kv, document }) => {
      const isMissing = health?.ok
        ? health.value.status === "no-document"
        : kv?.ok && kv.value.flags === undefined;
      if (!isMissing || document) return [];
      return [
        {
          level: "error",
          what: "There is no flag document: nothing is routed.",
          where: "KV key flags",
          mend: "greenlight apply FILE",
        },
      ];
    },
  },
  {
    name: "document-faults",
    about: "flags of the document have faults and run in their last good form",
    look: ({ document, status }) => {
      const faults = document?.parsed.faults ?? (status?.ok ? status.value.faults : []);
      return faults.map(
        ({ path, message, expected }): Finding => ({
          level: "error",
          what: `${message}; the last good form goes on.`,
          where: path || "document",
          mend: `Put ${expected} there. greenlight validate FILE says line and column.`,
        }),
      );
    },
  },
  {
    name: "not-adopted",
    about: "an edit by hand in KV that the controller has not taken over",
    look: ({ kv, status }) => {
      if (!kv?.ok || !status?.ok || kv.value.flags === undefined) return [];
      if (hashText(kv.value.flags) === status.value.specHash) return [];
      const parsed = parseDocument(kv.value.flags);
      const names = [...parsed.broken.keys()];
      const which = names.length > 0 ? ` Broken in it: ${names.join(", ")}.` : "";
      return [
        {
          level: "warning",
          what: `The document in KV is not the one that the controller has adopted.${which} What lowers green in it counts already.`,
          where: kv.value.where,
          mend: "Wait a minute and look again; if it stays so, greenlight diff shows what differs, greenlight apply FILE settles it.",
        },
      ];
    },
  },
  {
    name: "kill-missing",
    about:
      "the kill key is not there: KV remembers a missing key as missing, and the first kill takes a minute longer",
    look: ({ kv }) =>
      kv?.ok && kv.value.kill === undefined
        ? [
            {
              level: "warning",
              what: "The kill key is missing.",
              where: kv.value.where,
              mend: "greenlight unkill --all --kv writes it empty.",
            },
          ]
        : [],
  },
  {
    name: "kill-set",
    about: "the kill key still names flags",
    look: (facts) => {
      const known = facts.document?.parsed;
      return killedNames(killText(facts)).flatMap((name): Finding[] => {
        const isFlag = known?.flags.has(name) || known?.broken.has(name);
        if (name === EVERY_FLAG)
          return [
            {
              level: "warning",
              what: "The kill key holds every flag on blue.",
              where: "KV key kill",
              mend: "greenlight unkill --all --kv",
            },
          ];
        if (known && !isFlag && !isSwitch(name))
          return [
            {
              level: "warning",
              what: `The kill key names ${name}, which is no flag.`,
              where: "KV key kill",
              mend: `greenlight unkill ${name} --kv, or mend the spelling: it stops nothing.`,
            },
          ];
        return [
          {
            level: "warning",
            what: `The kill key holds ${name} on blue.`,
            where: "KV key kill",
            mend: `greenlight unkill ${name} --kv`,
          },
        ];
      });
    },
  },
  {
    name: "halt",
    about: "a halt or pause sticks to a release, or to a flag that is gone",
    look: ({ status }) => {
      if (!status?.ok) return [];
      const flags = new Map(status.value.flags.map((flag) => [flag.name, flag]));
      return status.value.halts.map(({ flag, release, action, at, reason }): Finding => {
        const known = flags.get(flag);
        const of = release === EVERY_RELEASE ? flag : `${flag} ${release}`;
        if (!known || known.state === "removed")
          return {
            level: "info",
            what: `A ${action} of ${of} is kept; the flag is gone.`,
            where: flag,
            mend: "Nothing: it counts again if the flag comes back.",
          };
        const isPresent = release === EVERY_RELEASE || release === known.release;
        return {
          level: isPresent ? "warning" : "info",
          what: `${action} of ${of} since ${day(at)} UTC: ${reason}`,
          where: flag,
          mend: !isPresent
            ? "Nothing: it counts again if that release comes back."
            : release === EVERY_RELEASE
              ? `greenlight unkill ${flag} once it is mended.`
              : `Release another version, or greenlight resume ${flag} once it is mended.`,
        };
      });
    },
  },
  {
    name: "switched-off",
    about: "the global switch, or a switch of canaries, is off",
    look: ({ document }) => {
      if (!document) return [];
      const { enabled, flags } = document.parsed;
      const global: Finding[] =
        enabled === false
          ? [
              {
                level: "warning",
                what: "The global switch is off: everybody is on blue.",
                where: "enabled",
                mend: "greenlight enable",
              },
            ]
          : [];
      const off = [...flags].filter(
        ([name, { state }]) => isSwitch(name) && (state === "off" || state === "kill"),
      );
      return [
        ...global,
        ...off.map(([name]): Finding => {
          const cohort = name.startsWith("canary.cohort.")
            ? name.slice("canary.cohort.".length, -".enabled".length)
            : undefined;
          const mend =
            cohort === undefined ? `greenlight set ${name} on` : `greenlight cohort enable ${cohort}`;
          return { level: "info", what: `The switch ${name} is off.`, where: `flags.${name}`, mend };
        }),
      ];
    },
  },
];
