/** The chapters of the demo in which a plan does it: one release goes through, and the next one is taken back. */
import type { Progress } from "../core/rollout/progress.ts";
import {
  type Chapter,
  expect,
  fits,
  NOTICED,
  put,
  read,
  type Story,
  since,
  sum,
  visitUntil,
} from "./demo-story.ts";

/** Percentages of the plan, and requests of green that each asks for. */
const STAGES = [10, 50, 100];
const MIN_REQUESTS = 40;
/** Seconds of a stage that is to be seen through, and of one in which there is something to be seen. */
const SHORT = 1;
const LONG = 60;

/** Names a release: the plan starts by itself. `seconds` is the duration of its second stage. */
function release(story: Story, name: string, seconds: number): void {
  const { blue, green } = story;
  green.release = name;
  put(story, {
    notify: {
      receivers: { channel: { type: "slack", url: "secret:SLACK_URL" } },
      routes: [{ on: ["percentage", "halt"], to: ["channel"] }],
    },
    flags: {
      shop: {
        state: "canary",
        release: name,
        plan: {
          stages: STAGES.map((percentage, i) => {
            return { percentage, duration: i === 1 ? seconds : SHORT, minRequests: MIN_REQUESTS };
          }),
        },
        route: { blue: blue.url, green: green.url },
        rules: [{ metric: "error_rate", above: 0.05, minRequests: 20 }],
      },
    },
  });
}

/** What the demo reads of a rollout's view. */
type Seen = Pick<Progress, "phase" | "release" | "stage"> & { percentage: number };

function rollout(story: Story): Promise<Seen> {
  return read<Seen>(story, "/flags/shop/rollout");
}

/** Waits until the plan has begun, with green at its first stage. */
async function begun(story: Story, name: string): Promise<void> {
  await visitUntil(story, async (round) => fits(round, STAGES[0]!) || (await rollout(story)).stage > 0);
  const { release: running } = await rollout(story);
  expect(running === name, `the plan of ${name} has not begun`);
}

export const planChapters: Chapter[] = [
  {
    title: "2.3.0 has a plan: 10, 50, 100 %, each for a second and 40 requests. Nobody touches anything",
    async tell(story, progress) {
      const { channel } = story;
      const from = performance.now();
      release(story, "2.3.0", SHORT);
      progress("the first stage opens");
      await begun(story, "2.3.0");
      const rounds = await visitUntil(story, async (round) => {
        const { phase, percentage } = await rollout(story);
        progress(`${phase} at ${percentage} %`);
        return phase === "completed" && round.green === round.visits;
      });
      const took = since(from);
      const [left, errors] = [sum(rounds, "left"), sum(rounds, "errors")];
      expect(left + errors === 0, `${left} visitors left green, ${errors} saw errors`);
      await visitUntil(story, () => channel.lines.length >= STAGES.length);
      const told = channel.lines.map((line) => /to (\S+ %)/.exec(line)?.[1]).join(", ");
      return `everybody on green after ${took}, 0 left it on the way. The channel was told: ${told}`;
    },
  },
  {
    title: "2.4.0 fails at 50 %: the plan takes it back, and says so",
    async tell(story, progress) {
      const { channel, green } = story;
      release(story, "2.4.0", LONG);
      await visitUntil(story, async () => {
        const { release: running, stage } = await rollout(story);
        return running === "2.4.0" && stage === 1;
      });
      const from = performance.now();
      green.failing = true;
      progress("green answers 503");
      const rounds = await visitUntil(story, async () => (await rollout(story)).phase === "halted");
      const took = since(from);
      const hits = green.requests;
      const after = await story.crowd.visit(story.router.url);
      const [visits, errors] = [sum(rounds, "visits"), sum(rounds, "errors") + after.errors];
      expect(green.requests === hits, `green still had ${green.requests - hits} requests after the halt`);
      expect(errors <= visits * NOTICED, `visitors saw ${errors} errors in ${visits} visits`);
      const halt = () => channel.lines.find((line) => line.includes("out of traffic"));
      await visitUntil(story, () => halt() !== undefined);
      return `out after ${took}; visitors saw ${errors} errors in ${visits} visits. The channel was told: ${halt()}`;
    },
  },
];
