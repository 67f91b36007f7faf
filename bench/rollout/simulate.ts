/** Plays a story to the controller's mind in plain Node and says what was decided. */
import type { PastRollout } from "../../src/core/rollout/history.ts";
import type { Message } from "../../src/core/wire/outbox.ts";
import { type Decision, decisionsOf } from "./decisions.ts";
import { PlainController } from "./plain.ts";
import { play, type Story, type Where } from "./play.ts";

/** More records than any story makes. */
const ALL = 1_000_000;

export interface Simulated {
  controller: PlainController;
  decisions: Decision[];
  history: PastRollout[];
  messages: Message[];
  /** Seconds of processor time: others may be at work on this machine. */
  seconds: number;
  end: Where;
}

/** Plays a story; the audit log goes into the result, not to the console. */
export async function simulate(story: Story, enough?: (where: Where) => boolean): Promise<Simulated> {
  const controller = new PlainController();
  const began = process.cpuUsage();
  await quietly(() => play(controller, story, enough));
  const used = process.cpuUsage(began);
  return {
    controller,
    decisions: decisionsOf(controller.decisions.audit.read({ limit: ALL }), story),
    history: controller.decisions.history.read(story.flag, 100),
    messages: [...controller.told.values()],
    seconds: (used.user + used.system) / 1e6,
    end: await controller.where(story.flag),
  };
}

/** Each record of the audit log is also logged: here that would bury what is printed. */
async function quietly(run: () => Promise<void>): Promise<void> {
  const { log } = console;
  console.log = () => {};
  try {
    await run();
  } finally {
    console.log = log;
  }
}
