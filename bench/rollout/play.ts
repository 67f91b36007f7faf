/**
 * Plays a trace through a rollout: traffic by the share that is served, the alarm, and people who answer. It does not
 * know what it plays to: the mind of the controller in plain Node, or the real object.
 */
import type { CommandRequest, CommandResult } from "../../src/control/controller-api.ts";
import type { Ingest } from "../../src/control/telemetry-api.ts";
import { parseDocument } from "../../src/core/flag/parse.ts";
import type { Plan } from "../../src/core/flag/plan.ts";
import type { Flag } from "../../src/core/flag/schema.ts";
import { rolesAsked } from "../../src/core/rollout/missing.ts";
import type { Command, Phase } from "../../src/core/rollout/progress.ts";
import { bandsOf, newProgress } from "../../src/core/rollout/transition.ts";
import type { Forward } from "../../src/core/wire/messages.ts";
import type { Observation } from "../../src/core/wire/outbox.ts";
import type { Trace } from "./trace.ts";
import { Traffic } from "./traffic.ts";

const MINUTE_MS = 60_000;

/** Where a rollout is, as far as traffic and people go by it. */
export interface Where {
  phase: Phase;
  /** -1 before the first. */
  stage: number;
  /** Share of green that is served, thousandths of a percent. */
  share: number;
  /** Roles that have signed off. */
  signedOff: string[];
}

/** What is played to. Times in milliseconds since the epoch. */
export interface Subject {
  adopt(text: string, now: number): Promise<void>;
  forward(forward: Forward, now: number): Promise<void>;
  alarm(now: number): Promise<void>;
  command(request: CommandRequest, now: number): Promise<CommandResult>;
  ingest(push: Ingest, now: number): Promise<void>;
  /** What the outbox has found; of what was to be tried on green it says that it has passed. */
  observe(found: readonly Found[], now: number): Promise<void>;
  where(flag: string, now: number): Promise<Where>;
}

/** What the outbox finds by itself, before it is numbered. */
export type Found = Pick<
  Observation & { type: "health" },
  "type" | "flag" | "variant" | "passed" | "sentence"
>;

/** An order that somebody gives at a minute of the trace. */
export interface Order {
  minute: number;
  command: Command;
}

/** A rollout and what happens to it. Minutes count from the beginning of the trace. */
export interface Story {
  flag: string;
  /** The document that is adopted at `from`. */
  text: string;
  trace: Trace;
  from: number;
  to: number;
  /** When the trace begins, milliseconds since the epoch. */
  start: number;
  /** Length of a step, milliseconds: how often a shard forwards and the alarm rings. */
  stepMs: number;
  /** Minutes until somebody answers; absent: nobody does. */
  approveAfter?: number;
  signOffAfter?: number;
  orders?: readonly Order[];
  /** Green takes so many times as long as blue. */
  slower?: number;
  /** Are distinct visitors counted? */
  distinct?: boolean;
  /** What origins and people push in this minute. */
  pushes?: (minute: number) => Ingest[];
  /** What the outbox finds in this minute. */
  finds?: (minute: number) => Found[];
  /** The alarm does not ring in these minutes: the platform has an outage. */
  alarmless?: (minute: number) => boolean;
}

/** Plays a story to its end, or until `enough` says so. */
export async function play(
  subject: Subject,
  story: Story,
  enough: (where: Where) => boolean = () => false,
): Promise<void> {
  const { flag, trace, start, stepMs } = story;
  const { plan, release } = specIn(story);
  const traffic = new Traffic("shard-0");
  const people = new People(story, plan);
  await subject.adopt(story.text, start + story.from * MINUTE_MS);
  let where = await subject.where(flag, start + story.from * MINUTE_MS);
  for (let minute = story.from; minute < Math.min(story.to, trace.length); minute++) {
    for (let ms = 0; ms < MINUTE_MS; ms += stepMs) {
      const end = start + minute * MINUTE_MS + ms + stepMs;
      if (enough(where)) return;
      const came = trace[minute];
      if (came) {
        const { share, stage } = where;
        const bands = bandsOf({ ...newProgress(), plan, stage });
        const { slower, distinct } = story;
        const forward = traffic.step(came, [{ flag, release, share, bands }], {
          end,
          ms: stepMs,
          slower,
          distinct,
        });
        // Isolates without requests have nothing to say.
        if (forward.cells.length > 0) await subject.forward(forward, end);
      }
      if (ms === 0) for (const push of story.pushes?.(minute) ?? []) await subject.ingest(push, end);
      if (!story.alarmless?.(minute)) await subject.alarm(end);
      await subject.observe((ms === 0 && story.finds?.(minute)) || [], end);
      where = await subject.where(flag, end);
      const answers = people.answers(where, minute, ms === 0);
      for (const { command, who } of answers)
        await subject.command({ flag, command, who, how: "cli", reason: "as the story says" }, end);
      if (answers.length > 0) where = await subject.where(flag, end);
    }
  }
}

function specIn({ text, flag }: Story): Pick<Flag, "plan" | "release"> {
  const { flags, faults } = parseDocument(text);
  const spec = flags.get(flag);
  if (!spec || faults.length > 0) throw new Error(`the story's document: ${JSON.stringify(faults)}`);
  return spec;
}

/** Those who approve and sign off, some time after they were asked. */
class People {
  readonly #story: Story;
  readonly #plan: Plan | undefined;
  #stage = -2;
  #enteredAt = 0;
  #askedAt: number | undefined;

  constructor(story: Story, plan: Plan | undefined) {
    this.#story = story;
    this.#plan = plan;
  }

  /** What they order in this minute. `first`: in its first step. */
  answers(
    { phase, stage, signedOff }: Where,
    minute: number,
    first: boolean,
  ): { command: Command; who: string }[] {
    const { orders = [], approveAfter, signOffAfter } = this.#story;
    const given = orders
      .filter((order) => first && order.minute === minute)
      .map(({ command }) => ({ command, who: "ann" }));
    if (stage !== this.#stage) this.#enteredAt = minute;
    this.#stage = stage;
    if (phase !== "awaitingApproval") this.#askedAt = undefined;
    else this.#askedAt ??= minute;
    if (approveAfter !== undefined && this.#askedAt !== undefined && minute - this.#askedAt >= approveAfter)
      given.push({ command: { name: "approve" }, who: "bob" });
    const running = phase === "progressing" || phase === "awaitingApproval";
    if (signOffAfter === undefined || !running || minute - this.#enteredAt < signOffAfter) return given;
    const asked = rolesAsked({ ...newProgress(), plan: this.#plan, stage });
    const roles = asked.filter((role) => !signedOff.includes(role));
    return [
      ...given,
      ...roles.map((role) => ({ command: { name: "signOff", role } as const, who: `the ${role}` })),
    ];
  }
}
