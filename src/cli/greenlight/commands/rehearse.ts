/** `greenlight rehearse`: flips through payloads at a local router and shows the traffic after each. */
import { basename } from "node:path";
import { Command } from "commander";
import { parseDocument } from "../../../core/flag/parse.ts";
import { Crowd } from "../../demo-visitors.ts";
import { integer } from "../../options.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { Api } from "../client.ts";
import { EXIT } from "../exit.ts";
import { misused } from "../failure.ts";
import { payloadOf, renamed } from "../payload.ts";
import { isLocal } from "../profile.ts";
import { flipped, type Outcome, put, type Scene, type Stage, visits } from "../rehearsal.ts";
import { percent, table } from "../table.ts";
import { nameOf } from "../words.ts";

/** Enough that 5 % are some twenty, few enough that a round of visits takes about a second. */
const VISITORS = 400;
const MAX_VISITORS = 10_000;
/** Restoring is not given up with the rehearsal, milliseconds of one request. */
const RESTORE_MS = 30_000;

interface RehearseFlags {
  flag?: string;
  visitors: number;
  green: string;
  yesReallyRemote: boolean;
}

export const rehearseCommand: CommandFactory = (cli) =>
  new Command("rehearse")
    .description(
      "Flips through payloads at a local router, in the order given, and shows the traffic after each: who is on green, who moved, what failed. Restores what was there.",
    )
    .argument(
      "<payload...>",
      "documents, or payloads of any system that can be imported; merged into what is there",
    )
    .option(
      "--flag <flag>",
      "the flag that the payloads are for; default: by their name, or the only one with a route",
      nameOf,
    )
    .option("--visitors <n>", "browsers that come", integer(1, MAX_VISITORS), VISITORS)
    .option("--green <text>", "an answer with this text in it is green's", "green")
    .option("--yes-really-remote", "also at a router that is not on this machine", false)
    .action(async (files: string[], given: RehearseFlags) => {
      cli.needsRouter("rehearse");
      const { url } = await cli.profile();
      if (!isLocal(url) && !given.yesReallyRemote)
        misused(
          `${url} is not on this machine: its visitors would be moved.`,
          "Rehearse at npm start, or say --yes-really-remote.",
        );
      const outcomes = await rehearse(cli, files, given);
      cli.out.show({ url, outcomes }, () => text(cli, outcomes));
      if (cli.interrupted.aborted) cli.ends(EXIT.interrupted);
      else if (outcomes.some(({ errors }) => errors > 0)) cli.ends(EXIT.no);
    });

async function rehearse(
  cli: Cli,
  files: string[],
  { flag, visitors, green }: RehearseFlags,
): Promise<Outcome[]> {
  const api = await cli.api();
  const { value: first, etag } = await api.tell<string>("/document", { asText: true });
  const scenes = await scenesOf(cli, files, first, flag);
  const watched = watchedFlag(first, scenes);
  const stage: Stage = { api, text: first, etag: etag ?? "*", flag: watched };
  const crowd = new Crowd(visitors, (body) => body.includes(green));
  const outcomes: Outcome[] = [];
  const say = (outcome: Outcome) => {
    outcomes.push(outcome);
    cli.out.note(`${outcome.scene}: ${outcome.green} of ${outcome.visitors} on green`);
  };
  try {
    say(await cli.busy("visitors come", () => visits(crowd, stage, "as it is", 0)));
    for (const scene of scenes) {
      if (cli.interrupted.aborted) break;
      const reason = `rehearsal: ${scene.file}`;
      say(
        await cli.busy(scene.file, async () => {
          const { tookMs } = await put(stage, flipped(first, scene), reason);
          return await visits(crowd, stage, scene.file, tookMs);
        }),
      );
    }
  } catch (error) {
    // Ctrl-C ends what is asked; what was seen until then is shown.
    if (!cli.interrupted.aborted) throw error;
  } finally {
    await restore(cli, stage, first);
  }
  return outcomes;
}

/** Puts back what was there, also when the rehearsal was interrupted or failed. */
async function restore(cli: Cli, stage: Stage, first: string): Promise<void> {
  const { profile } = stage.api;
  stage.api = new Api(profile, RESTORE_MS, new AbortController().signal);
  const now = await stage.api.tell<string>("/document", { asText: true });
  stage.text = now.value;
  stage.etag = now.etag ?? "*";
  await put(stage, first, "rehearsal: as it was before");
  cli.out.note("As it was before.");
}

async function scenesOf(
  cli: Cli,
  files: string[],
  first: string,
  flag: string | undefined,
): Promise<Scene[]> {
  const { flags } = parseDocument(first);
  const routed = [...flags].filter(([, { route }]) => route).map(([name]) => name);
  const scenes: Scene[] = [];
  for (const path of files) {
    const payload = await payloadOf(path, [...flags.keys()]);
    // Without its folder: the name goes into the audit log, the machine's paths do not.
    const file = basename(path);
    for (const { path: at, sentence, kind } of payload.losses)
      if (kind === "lost") cli.out.note(`${file}: ${at}: ${sentence}`);
    const names = Object.keys(payload.document.flags);
    const isKnown = names.some((name) => routed.includes(name));
    // A percentage is often called otherwise than the flag that steers: with one of each there is no doubt.
    const meant = flag ?? (isKnown || names.length > 1 || routed.length !== 1 ? undefined : routed[0]);
    if (meant !== undefined && meant !== names[0]) cli.out.note(`${file}: ${names[0]} is for ${meant} here.`);
    scenes.push({ file, payload: meant === undefined ? payload : renamed(payload, meant) });
  }
  return scenes;
}

function watchedFlag(first: string, scenes: readonly Scene[]): string {
  const { flags } = parseDocument(first);
  const names = new Set(scenes.flatMap(({ payload }) => Object.keys(payload.document.flags)));
  const watched = [...names].find((name) => flags.get(name)?.route);
  if (watched !== undefined) return watched;
  return misused(
    "No flag of the payloads steers traffic at this router: nobody would move.",
    `--flag names the one that is meant: ${
      [...flags]
        .filter(([, { route }]) => route)
        .map(([name]) => name)
        .join(", ") || "there is none with a route"
    }.`,
  );
}

function text(cli: Cli, outcomes: readonly Outcome[]): string {
  const { paint } = cli.out;
  const head = [
    "scene",
    "asked",
    "visitors",
    "blue",
    "green",
    "moved",
    "left green",
    "errors",
    "served after",
  ];
  const rows = outcomes.map(({ scene, asked, visitors, green, moved, left, errors, tookMs }) => [
    scene,
    asked === null ? "–" : percent(asked),
    String(visitors),
    String(visitors - green),
    paint.green(String(green)),
    String(moved),
    String(left),
    errors > 0 ? paint.red(String(errors)) : "0",
    tookMs === 0 ? "" : `${(tookMs / 1000).toFixed(1)} s`,
  ]);
  return table(cli.out, head, rows);
}
