/** The chapters of the demo by hand. Each does something, measures what visitors got, and throws when the story does not hold. */
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

/** The part of `GET /_greenlight/api/status` that the demo reads. */
interface Status {
  halts: { flag: string; release: string; reason: string }[];
}

/** Puts a document with this percentage and release. */
function edit(story: Story, percentage: number, release: string): void {
  const { blue, green } = story;
  put(story, {
    flags: {
      shop: {
        state: "canary",
        percentage,
        release,
        route: { blue: blue.url, green: green.url },
        rules: [{ metric: "error_rate", above: 0.05, minRequests: 20 }],
      },
    },
  });
}

function status(story: Story): Promise<Status> {
  return read<Status>(story, "/status");
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
      const took = since(from);
      const [halt] = (await status(story)).halts;
      const hits = green.requests;
      const after = await story.crowd.visit(story.router.url);
      const [visits, errors] = [sum(rounds, "visits"), sum(rounds, "errors") + after.errors];
      expect(green.requests === hits, `green still had ${green.requests - hits} requests after the halt`);
      expect(errors <= visits * NOTICED, `visitors saw ${errors} errors in ${visits} visits`);
      return `halted after ${took}; visitors saw ${errors} errors in ${visits} visits. Why: ${halt!.reason}`;
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
