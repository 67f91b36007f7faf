/** `npm run demo`: the story of one rollout on a terminal, against a router that it starts itself. */
import Table from "cli-table3";
import { Listr } from "listr2";
import pc from "picocolors";
import { DemoChannel } from "./demo-channel.ts";
import { chapters } from "./demo-chapters.ts";
import { DemoOrigin } from "./demo-origin.ts";
import { planChapters } from "./demo-plan.ts";
import type { Chapter, Story } from "./demo-story.ts";
import { Crowd } from "./demo-visitors.ts";
import { startServe } from "./serve.ts";

/** Enough that 10 % are some forty, few enough that a round of visits takes under a second. */
const VISITORS = 400;
/** The whole story must be told within a minute. */
const LIMIT_MS = 60_000;

/** Things to stop, last first. */
const running: { stop(): Promise<void> }[] = [];

async function keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  running.push(started);
  return started;
}

async function stopAll(): Promise<void> {
  for (let thing = running.pop(); thing; thing = running.pop()) await thing.stop();
}

async function begin(): Promise<Story> {
  const blue = await keep(DemoOrigin.start("blue", "2.0.0"));
  const green = await keep(DemoOrigin.start("green", "2.1.0"));
  const channel = await keep(DemoChannel.start());
  const vars = { KV_REFRESH_SECONDS: "1", SLACK_URL: channel.url };
  const router = await keep(startServe({ vars }));
  return { blue, green, router, channel, crowd: new Crowd(VISITORS) };
}

/** Tells the chapters one by one; returns the rows of the summary. */
async function tell(): Promise<{ chapter: string; outcome: string }[]> {
  const rows: { chapter: string; outcome: string }[] = [];
  let story: Story | undefined;
  const step = ({ title, tell: play }: Chapter) => ({
    title,
    task: async (_: unknown, task: { title: string; output: string }) => {
      const outcome = await play(story!, (line) => {
        task.output = line;
      });
      rows.push({ chapter: title, outcome });
      task.title = `${title} ${pc.dim(outcome)}`;
    },
  });
  const start = {
    title: `The router starts on workerd, blue 2.0.0 and green 2.1.0 behind it`,
    task: async () => {
      story = await begin();
    },
  };
  await new Listr([start, ...[...chapters, ...planChapters].map(step)], {
    // On a pipe or in CI: one plain line per step.
    fallbackRenderer: "simple",
    rendererOptions: { collapseErrors: false },
  }).run();
  return rows;
}

async function main(): Promise<number> {
  const from = performance.now();
  const leave = (code: number) => void stopAll().finally(() => process.exit(code));
  process.once("SIGINT", () => leave(130)).once("SIGTERM", () => leave(143));
  const limit = setTimeout(() => {
    console.error(pc.red(`the demo did not end within ${LIMIT_MS / 1000} s`));
    leave(1);
  }, LIMIT_MS);
  try {
    const rows = await tell();
    const table = new Table({
      head: ["What happened", "Measured"],
      style: { head: [], border: [] },
      wordWrap: true,
      colWidths: [44, 60],
    });
    table.push(...rows.map(({ chapter, outcome }) => [chapter, outcome]));
    console.log(table.toString());
    console.log(
      `${pc.green("The story holds.")} ${((performance.now() - from) / 1000).toFixed(1)} s in all.`,
    );
    return 0;
  } catch (error) {
    console.error(pc.red(`The story does not hold: ${error instanceof Error ? error.message : error}`));
    return 1;
  } finally {
    clearTimeout(limit);
    await stopAll();
  }
}

process.exit(await main());
