/**
 * How long a rollback takes until green's last answer, as the counts show it. Counts are cut by the 2 s in which requests
 * began, so a time is the end of such a tick: green's last request began then at the latest.
 */
import { TICK_MS } from "../wire/messages.ts";
import type { RollbackTime } from "./progress.ts";

/** Nothing new of green for so long means that nothing will come: an isolate reports within 20 s, and a tick; ms. */
export const ROLLBACK_QUIET_MS = 25_000;

/** What a look at it has shown. */
export interface RollbackLook {
  state: RollbackTime;
  /** It is done, and took so many milliseconds at most; once. */
  done?: number;
  /** Green still gets requests after its budget, so many milliseconds after the rollback at most; once. */
  overdue?: number;
}

/** A rollback was decided at `at`, milliseconds since the epoch. */
export function beganRollback(at: number): RollbackTime {
  return { at, lastGreenAt: undefined, tookMs: undefined, overdue: false };
}

/** A request that green answered began in the tick of 2 s that starts at `tickStart`, milliseconds since the epoch. */
export function sawGreen(state: RollbackTime, tickStart: number): RollbackTime {
  if (tickStart + TICK_MS <= state.at || tickStart <= (state.lastGreenAt ?? -1)) return state;
  return { ...state, lastGreenAt: tickStart };
}

/**
 * Looks at it. `heardAt`: when isolates reported last, undefined for never; without a report since, nothing is known.
 * A batch that comes late may show a later request: the time is mended, `done` is not told twice.
 */
export function checked(
  state: RollbackTime,
  {
    now,
    heardAt,
    budgetSeconds,
    quietMs = ROLLBACK_QUIET_MS,
  }: { now: number; heardAt: number | undefined; budgetSeconds: number; quietMs?: number },
): RollbackLook {
  const took = state.lastGreenAt === undefined ? 0 : state.lastGreenAt + TICK_MS - state.at;
  const look: RollbackLook = { state };
  if (!state.overdue && took > budgetSeconds * 1000) {
    look.overdue = took;
    look.state = { ...look.state, overdue: true };
  }
  const quietSince = state.at + took;
  const heard = heardAt !== undefined && heardAt > quietSince;
  if (state.tookMs !== undefined) {
    if (took > state.tookMs) look.state = { ...look.state, tookMs: took };
  } else if (heard && now - quietSince >= quietMs) {
    look.done = took;
    look.state = { ...look.state, tookMs: took };
  }
  return look;
}

/** What is told when it is done. */
export function doneSentence({
  flag,
  release,
  tookMs,
}: {
  flag: string;
  release: string;
  tookMs: number;
}): string {
  if (tookMs === 0) return `Green of ${flag} ${release} got no request after the rollback`;
  return `Green of ${flag} ${release} answered its last request at most ${seconds(tookMs)} after the rollback (counted in steps of ${seconds(TICK_MS)})`;
}

/** What is told when it is overdue. */
export function overdueSentence(late: {
  flag: string;
  release: string;
  afterMs: number;
  budgetSeconds: number;
}): string {
  const { flag, release, afterMs, budgetSeconds } = late;
  return `Green of ${flag} ${release} still got requests up to ${seconds(afterMs)} after the rollback (counted in steps of ${seconds(TICK_MS)}); its budget is ${budgetSeconds} s`;
}

/** A tenth of a second is finer than the counts; rounded up, for a time is the most that it can be. */
function seconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`;
}
