/** The doctor's looks at what runs: clocks, ages, isolates, shards, origins, plans that wait, the pull. */
import type { Check, Finding, Level } from "./facts.ts";

const MINUTE_MS = 60_000;
/** Clocks further apart than this make expiries and audit times lie, milliseconds. */
const SKEW_MS = 30_000;
/** The snapshot is put again each minute while green gets traffic; a few are missed before it is told, milliseconds. */
const SNAPSHOT_OLD_MS = 5 * MINUTE_MS;
/** KV is read each 10 s and may be stale for a minute; older than this the isolate cannot read it, milliseconds. */
const KV_OLD_MS = 5 * MINUTE_MS;
/** Health checks that fail in a row before it is more than a blip. */
const FAILED_CHECKS = 3;

function one(level: Level, what: string, where: string, mend: string): Finding[] {
  return [{ level, what, where, mend }];
}

function minutes(milliseconds: number): string {
  return `${Math.round(milliseconds / MINUTE_MS)} minutes`;
}

export const liveChecks: Check[] = [
  {
    name: "clock",
    about: "the clocks of this machine and of the router are apart",
    look: ({ status }) => {
      if (!status?.ok || Math.abs(status.value.offsetMs) <= SKEW_MS) return [];
      const { offsetMs } = status.value;
      const way = offsetMs > 0 ? "behind" : "ahead of";
      return one(
        "warning",
        `The clock of this machine is ${Math.round(Math.abs(offsetMs) / 1000)} s ${way} the router's.`,
        "this machine",
        "Set the clock: expiries that you write are by it.",
      );
    },
  },
  {
    name: "snapshot-old",
    about: "the published status is old while green gets traffic",
    look: ({ health, status }) => {
      if (!health?.ok || !status?.ok) return [];
      const isWatched = status.value.flags.some(({ state, share }) => state === "canary" && share > 0);
      const age = health.value.snapshotAgeMs;
      if (!isWatched || age === null || age <= SNAPSHOT_OLD_MS) return [];
      return one(
        "warning",
        `The isolate that answered serves a status that is ${minutes(age)} old.`,
        "snapshot",
        "Look at the Worker's log: the controller does not publish. Kill and lower percentages count by KV alone.",
      );
    },
  },
  {
    name: "kv-old",
    about: "an isolate has not read KV for minutes",
    look: ({ health }) => {
      const age = health?.ok ? health.value.kvAgeMs : null;
      if (age === null || age <= KV_OLD_MS) return [];
      return one(
        "warning",
        `The isolate that answered read KV ${minutes(age)} ago.`,
        "KV",
        "Look at the log for kv-failed; the last good document goes on.",
      );
    },
  },
  {
    name: "isolates",
    about: "no isolate has been heard from in the last minute",
    look: ({ status }) =>
      status?.ok && status.value.isolates === 0
        ? one(
            "info",
            "No isolate was heard from in the last minute: there is no traffic, or it goes past the router.",
            "status",
            "Look whether the domain's route leads to this Worker.",
          )
        : [],
  },
  {
    name: "shards",
    about: "shards of counters run another version than the others, or batches were lost",
    look: ({ status }) => {
      if (!status?.ok) return [];
      const { shards, lost } = status.value;
      const versions = new Set(shards.map(({ version }) => version));
      return [
        ...(versions.size > 1
          ? one(
              "warning",
              `Shards run different versions: ${[...versions].sort((a, b) => a - b).join(", ")}.`,
              "shards",
              "Wait some minutes after a deploy; if it stays so, deploy again.",
            )
          : []),
        ...(lost > 0
          ? one(
              "info",
              `Isolates gave up on ${lost} batches of counts.`,
              "status",
              "Counts are too low by them; look at the log of the shards.",
            )
          : []),
      ];
    },
  },
  {
    name: "origin-down",
    about: "an origin fails the router's health checks",
    look: ({ status }) =>
      status?.ok
        ? status.value.flags.flatMap(({ name, health }) =>
            (["blue", "green"] as const).flatMap((variant) => {
              const reading = health?.[variant];
              if (!reading || reading.failedInARow === 0) return [];
              const level = reading.failedInARow >= FAILED_CHECKS ? "error" : "info";
              return one(
                level,
                `${variant} has failed ${reading.failedInARow} health checks in a row: ${reading.sentence}`,
                `flags.${name}.healthCheck`,
                variant === "green"
                  ? `greenlight rollback ${name} if it gets traffic; look at the origin.`
                  : "Look at the origin: blue is what everybody falls back to.",
              );
            }),
          )
        : [],
  },
  {
    name: "waiting",
    about: "a plan waits for signals that nobody sends, or for a person",
    look: ({ status }) => {
      if (!status?.ok) return [];
      return status.value.flags.flatMap(({ name, rollout }) => {
        if (!rollout || rollout.phase === "completed" || rollout.phase === "idle") return [];
        const gates = rollout.phase === "progressing" ? [...rollout.exit, ...rollout.entry] : [];
        const unheard = gates.filter(({ verdict }) => verdict === "unmeasured");
        const where = `flags.${name}.plan`;
        const person =
          rollout.phase === "awaitingApproval"
            ? one("info", `It waits for ${rollout.waitsFor.join("; ")}.`, where, `greenlight approve ${name}`)
            : [];
        return [
          ...unheard.flatMap(({ what, sentence }) =>
            one(
              "warning",
              `The plan waits for ${what}, of which nothing is known: ${sentence}`,
              where,
              "Send it (docs/telemetry.md), or take the gate out.",
            ),
          ),
          ...person,
        ];
      });
    },
  },
  {
    name: "pull",
    about: "the scheduled pull fails, or what it reads has no counterpart",
    look: ({ pull }) => {
      if (!pull?.ok) return [];
      const { url, fault, losses } = pull.value;
      return [
        ...(fault === null
          ? []
          : one(
              "error",
              `The pull fails: ${fault}`,
              url,
              "The last good document goes on. Mend the source, then greenlight doctor again.",
            )),
        ...losses.map(
          (loss): Finding => ({
            level: "info",
            what: loss,
            where: url,
            mend: "docs/import.md says what becomes of it.",
          }),
        ),
      ];
    },
  },
  {
    name: "router-version",
    about: "the router is older than this command line",
    look: ({ router, cli }) =>
      router && older(router.version, cli.version)
        ? one(
            "warning",
            `The router is ${router.version}, this command line ${cli.version}.`,
            "router",
            "Deploy the router (npm run deploy), or use the command line of its release.",
          )
        : [],
  },
];

/** Is a version `1.2.3` before another? */
export function older(version: string, than: string): boolean {
  const [a, b] = [version, than].map((v) => v.split(/[.+-]/).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a![i] ?? 0) - (b![i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
