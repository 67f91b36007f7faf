/** The chapters of the demo. Each does something, measures what visitors got, and throws when the story does not hold. */
import type { DocumentInput } from "../core/flag/schema.ts";
import type { DemoOrigin } from "./demo-origin.ts";
import type { Crowd, Round } from "./demo-visitors.ts";
import type { Running } from "./serve.ts";

/** Who takes part. */
export interface Story {
  blue: DemoOrigin;
  green: DemoOrigin;
  router: Running;
  crowd: Crowd;
}

/** One chapter: a title, and what it does; the answer is what was measured, as a sentence. */
export interface Chapter {
  title: string;
  tell(story: Story, progress: (line: string) => void): Promise<string>;
}

/** The part of `GET /_greenlight/api/status` that the demo reads. */
interface Status {
  halts: { flag: string; release: string; reason: string }[];
}

/** Standard deviations that a split may be off: chance alone exceeds it once in two million runs. */
const SIGMAS = 5;
/** An edit is read within a second here and adopted in one more; a slow machine gets some patience. */
const PATIENCE_MS = 12_000;
/** Share of visits that may fail before visitors would say that they noticed. */
const NOTICED = 0.01;

/** Puts the document as `wrangler kv key put` does. */
function edit({ blue, green, router }: Story, percentage: number, release: string): void {
  const document: DocumentInput = {
    flags: {
      shop: {
        state: "canary",
        percentage,
        release,
        route: { blue: blue.url, green: green.url },
        rules: [{ metric: "error_rate", above: 0.05, minRequests: 20 }],
      },
    },
  };
  router.kv.put("flags", JSON.stringify(document, null, 2));
}

async function status({ router }: Story): Promise<Status> {
  const headers = { authorization: `Bearer ${router.token}` };
  const res = await fetch(`${router.url}/_greenlight/api/status`, { headers });
  if (!res.ok) throw new Error(`the status answered ${res.status}`);
  return (await res.json()) as Status;
}

/** Is an edit through: does nobody move any more, and is the number on green what chance allows at this percentage? */
function fits({ green, visits, moved, first }: Round, percentage: number): boolean {
  const p = percentage / 100;
  return moved + first === 0 && Math.abs(green - visits * p) <= SIGMAS * Math.sqrt(visits * p * (1 - p));
}

/** Rounds of visits until `enough`; throws after PATIENCE_MS. Answers all rounds. */
async function visitUntil(
  story: Story,
  enough: (round: Round) => boolean | Promise<boolean>,
): Promise<Round[]> {
  const until = performance.now() + PATIENCE_MS;
  const rounds: Round[] = [];
  for (;;) {
    const round = await story.crowd.visit(story.router.url);
    rounds.push(round);
    if (await enough(round)) return rounds;
    if (performance.now() > until)
      throw new Error(`after ${PATIENCE_MS / 1000} s still ${JSON.stringify(round)}`);
  }
}

function sum(rounds: Round[], field: keyof Round): number {
  return rounds.reduce((n, round) => n + round[field], 0);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** The story in order. */
export const chapters: Chapter[] = [
  {
    title: "10 % of the visitors go to green",
    async tell(story, progress) {
      edit(story, 10, "2.1.0");
      progress("waiting for the controller to adopt the edit");
      const round = (await visitUntil(story, (r) => fits(r, 10))).at(-1)!;
      return `${round.green} of ${round.visits} visitors on green`;
    },
  },
  {
    title: "The router restarts: everyone stays where they were",
    async tell(story, progress) {
      const before = await story.crowd.visit(story.router.url);
      progress("workerd is killed and started again");
      await story.router.restart();
      const after = await story.crowd.visit(story.router.url);
      expect(before.moved === 0, `${before.moved} visitors moved without a reason`);
      expect(after.moved === 0, `${after.moved} visitors moved over the restart`);
      return `${after.green} on green as before, 0 moved`;
    },
  },
  {
    title: "A KV edit raises green to 50 %: nobody on green leaves it",
    async tell(story, progress) {
      edit(story, 50, "2.1.0");
      progress("waiting for the edit");
      const rounds = await visitUntil(story, (r) => fits(r, 50));
      expect(sum(rounds, "left") === 0, `${sum(rounds, "left")} visitors left green`);
      const round = rounds.at(-1)!;
      return `${round.green} of ${round.visits} on green, 0 left it`;
    },
  },
  {
    title: "Green begins to fail, and is taken out of traffic",
    async tell(story, progress) {
      const { green } = story;
      const from = performance.now();
      green.failing = true;
      progress("green answers 503; blue rescues");
      const rounds = await visitUntil(story, async () => (await status(story)).halts.length > 0);
      const seconds = ((performance.now() - from) / 1000).toFixed(1);
      const [halt] = (await status(story)).halts;
      const hits = green.requests;
      const after = await story.crowd.visit(story.router.url);
      const [visits, errors] = [sum(rounds, "visits"), sum(rounds, "errors") + after.errors];
      expect(green.requests === hits, `green still had ${green.requests - hits} requests after the halt`);
      expect(errors <= visits * NOTICED, `visitors saw ${errors} errors in ${visits} visits`);
      return `halted after ${seconds} s; visitors saw ${errors} errors in ${visits} visits. Why: ${halt!.reason}`;
    },
  },
  {
    title: "A KV edit names the next release: green is back",
    async tell(story, progress) {
      const { green } = story;
      green.failing = false;
      green.release = "2.2.0";
      edit(story, 50, "2.2.0");
      progress("waiting for the edit");
      const round = (await visitUntil(story, (r) => fits(r, 50))).at(-1)!;
      const again = await story.crowd.visit(story.router.url);
      const errors = round.errors + again.errors;
      expect(errors === 0, `visitors saw ${errors} errors`);
      expect(fits(again, 50), `only ${again.green} of ${again.visits} on green a moment later`);
      const { halts } = await status(story);
      expect(
        halts.every((halt) => halt.release === "2.1.0"),
        "the next release was halted as well",
      );
      return `${again.green} of ${again.visits} on green; the halt of 2.1.0 stays on record`;
    },
  },
];
