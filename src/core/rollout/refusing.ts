/** Why a command is refused: what is the case, and what would work. */
import { stopOf } from "./draft.ts";
import type { Progress, Refusal, Transition } from "./progress.ts";

export type Refused = Extract<Transition, { ok: false }>;

export function refuse(reason: Refusal, sentence: string): Refused {
  return { ok: false, reason, sentence: `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}` };
}

/** Commands that move a rollout need a flag in canary, with a plan. */
export function withoutPlan(p: Progress): Refused | undefined {
  if (p.state !== "canary")
    return refuse("not-in-canary", `The flag's state is ${p.state}; a rollout needs the state canary`);
  if (p.plan) return undefined;
  return refuse("no-plan", "The flag has no plan; set its percentage, or give it a plan");
}

/** Commands that go on need a release that is not out of traffic. */
export function whileStopped(p: Progress): Refused | undefined {
  const stop = stopOf(p);
  if (stop?.action === "kill")
    return refuse("flag-stopped", `Green is killed: ${stop.why}; the command resume lifts it`);
  if (p.phase === "halted")
    return refuse("halted", `${p.release} is halted: ${p.why ?? "halted"}; resume or restart goes on`);
  return undefined;
}

/** Commands that go on need a rollout that is going. */
export function unlessRunning(p: Progress): Refused | undefined {
  const stopped = whileStopped(p);
  if (stopped) return stopped;
  switch (p.phase) {
    case "progressing":
    case "awaitingApproval":
      return undefined;
    case "paused":
      return refuse("not-running", `The rollout is paused: ${p.why ?? "paused"}; the command resume goes on`);
    case "rollingBack":
      return refuse("not-running", "The rollout is being rolled back; the command resume stops that");
    case "completed":
      return refuse("not-running", `The rollout of ${p.release} is complete; restart begins anew`);
    default:
      return refuse("not-running", "No rollout is under way; the command start begins one");
  }
}
