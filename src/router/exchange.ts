/**
 * One exchange with the origins: breaker, forward, record, rescue. The usual way is written with one callback and no
 * async function; whatever takes long, fails or is tried again goes the slower way.
 */
import type { Outcome, Variant } from "../core/analysis/tally.ts";
import { log, wordsOf } from "../edge/log.ts";
import { type Answer, Attempt, discard } from "./attempt.ts";
import type { Admission } from "./breaker.ts";
import type { Choice } from "./choice.ts";
import { answerFor, outcomeOfStatus } from "./failure.ts";
import {
  ask,
  askAgain,
  type Expire,
  isLookedAfter,
  isReplayable,
  lookAfter,
  type Passage,
  send,
} from "./forward.ts";
import { OWN, outgoingHeaders, setForwarded } from "./headers.ts";
import type { Keeper } from "./keeper.ts";
import type { Lane } from "./lane.ts";
import { mirror } from "./mirror.ts";
import type { Recorder } from "./recorder.ts";
import { isRescued } from "./rescue.ts";
import { respond } from "./respond.ts";
import type { Target } from "./target.ts";
import { isNavigation, mintVisitor, visitorCookie } from "./visitor.ts";

/** An exchange under way. */
interface Exchange extends Passage {
  readonly choice: Choice;
  readonly attempt: Attempt;
  readonly admission: Admission;
  /** How long a rescue that has been taken out of the budget waits for its turn, milliseconds; undefined for none. */
  rescueWaitMs: number | undefined;
}

export class Exchanger {
  readonly #recorder: Recorder;
  readonly #keeper: Keeper;

  constructor(recorder: Recorder, keeper: Keeper) {
    this.#recorder = recorder;
    this.#keeper = keeper;
  }

  /** Gets the answer for a request that has been decided about. `held` is as in `Passage`. */
  exchange(
    choice: Choice,
    request: Request,
    env: Env,
    ctx: ExecutionContext,
    target: Target,
    now: number,
    held: boolean,
  ): Promise<Response> {
    const { lane, decision } = choice;
    const { flag, route } = lane;
    const { variant } = decision;
    const from = request.headers;
    const headers = outgoingHeaders(from);
    setForwarded(headers, from.get("cf-connecting-ip"), target.authority, target.scheme);
    headers.set(OWN.flag, flag.name);
    headers.set(OWN.cohort, decision.cohort);
    headers.set(OWN.release, flag.spec.release);

    const row = lane.row(variant, decision.cohort, decision.placement);
    const admission = variant === "green" ? lane.breaker.admit(now) : "pass";
    const diverted = admission === "divert";
    if (diverted) this.#recorder.divert(row, choice.visitor, now);
    const attempt = new Attempt(diverted ? undefined : row, now, choice.visitor, decision.bucket);
    const x: Exchange = {
      request,
      env,
      ctx,
      target,
      headers,
      held,
      choice,
      attempt,
      admission,
      rescueWaitMs: undefined,
    };
    const side: Variant = diverted ? "blue" : variant;
    headers.set(OWN.variant, side);
    if (variant === "blue") lane.budget.noteRequest(now);

    // Who is kept on blue by an override asked for nothing of green's.
    const isOverridden = choice.decision.reason === "TARGETING_MATCH";
    if (flag.shadow && variant === "blue" && !isOverridden && isReplaceable(request)) {
      mirror(x, choice, this.#recorder, now);
    }
    this.#recorder.begin(attempt);
    if (route.retry !== undefined || !isLookedAfter(x, lane.shortestMs, this.#keeper, now)) {
      return this.#carefully(x, side);
    }
    send(x, attempt, side === "green" ? lane.green : lane.blue);
    return attempt.promise.then((answer) =>
      answer === "look-after-yourself" || answer === "time-is-up"
        ? this.#slowly(x, side)
        : this.#finish(x, side, answer),
    );
  }

  /** From the start with a timer, an eye on the visitor, and the route's tries. */
  async #carefully(x: Exchange, side: Variant): Promise<Response> {
    const { limitMs, expire } = this.#patience(x, side);
    return this.#finish(x, side, await this.#ask(x, x.attempt, side, limitMs, expire));
  }

  /** After the keeper's word. */
  async #slowly(x: Exchange, side: Variant): Promise<Response> {
    const { limitMs, expire } = this.#patience(x, side);
    return this.#finish(x, side, await lookAfter(x, x.attempt, limitMs, undefined, expire));
  }

  /**
   * How long a side has. Green has a shorter time where the request can be rescued; at its end green is waited for to
   * the end of the longer one if no rescue can be had.
   */
  #patience(x: Exchange, side: Variant): { limitMs: number; expire: Expire | undefined } {
    const { lane } = x.choice;
    if (side !== "green" || lane.route.rescue === "off" || !isReplaceable(x.request)) {
      return { limitMs: lane.timeoutMs, expire: undefined };
    }
    let extended = false;
    const expire = () => {
      x.rescueWaitMs ??= lane.budget.take(Date.now());
      if (x.rescueWaitMs !== undefined || extended) return undefined;
      extended = true;
      return lane.timeoutMs - lane.rescueAfterMs;
    };
    return { limitMs: lane.rescueAfterMs, expire };
  }

  #ask(
    x: Exchange,
    attempt: Attempt,
    side: Variant,
    timeoutMs: number,
    expire: Expire | undefined,
  ): Promise<Answer> {
    const { lane } = x.choice;
    const origin = side === "green" ? lane.green : lane.blue;
    const { retry } = lane.route;
    return retry !== undefined && isReplayable(x.request)
      ? askAgain(x, attempt, origin, timeoutMs, retry, expire)
      : ask(x, attempt, origin, timeoutMs, expire);
  }

  /** Counts the answer, and sends it out or another one in its place. */
  #finish(x: Exchange, side: Variant, answer: Answer): Response | Promise<Response> {
    try {
      const { lane } = x.choice;
      const outcome = outcomeOf(answer, lane);
      const now = Date.now();
      const refused = typeof answer !== "string" && answer.status >= 400;
      const failed = this.#recorder.close(x.attempt, outcome, now, lane.slowAfterMs, refused);
      if (this.#keeper.hasLapsed(now) && this.#keeper.hurry(x.env, x.ctx, now)) x.held = true;
      if (x.attempt.row !== undefined) {
        if (side === "green") this.#noteGreen(x, outcome, failed, now);
        else if (outcome === "success") lane.budget.noteSuccess();
        if (failed && outcome !== "censored" && isReplaceable(x.request)) {
          const other = this.#otherSide(x, side, answer, now);
          if (other !== undefined) return this.#replace(x, side, other, answer);
        }
      }
    } catch (error) {
      log("error", "record-failed", { error: wordsOf(error) });
    }
    return this.#respond(x, answer);
  }

  #noteGreen(x: Exchange, outcome: Outcome, failed: boolean, now: number): void {
    const { breaker } = x.choice.lane;
    if (outcome === "censored") breaker.release(x.admission);
    else breaker.settle(x.admission, !failed, x.attempt.visitor >>> 20, now);
    if (failed && this.#keeper.hurry(x.env, x.ctx, now)) x.held = true;
  }

  /** The side that may answer in the place of this failure, if any. */
  #otherSide(x: Exchange, side: Variant, answer: Answer, now: number): Variant | undefined {
    const { lane } = x.choice;
    const { route, flag } = lane;
    if (side === "green") {
      if (route.rescue === "off") return undefined;
      if (typeof answer !== "string" && !isRescued(route.rescue, answer.status)) return undefined;
      x.rescueWaitMs ??= lane.budget.take(now);
      return x.rescueWaitMs === undefined ? undefined : "blue";
    }
    const unreachable = typeof answer === "string" || isRescued("unreachable", answer.status);
    const mayBeGreen = flag.stop === undefined && (flag.spec.state === "canary" || flag.spec.state === "on");
    return route.wayOut && unreachable && mayBeGreen ? "green" : undefined;
  }

  /**
   * Asks the other side, and takes its answer if it is a good one. What it answers enters no sum: a bad green must not
   * look like a bad blue, nor hide behind a good one.
   */
  async #replace(x: Exchange, side: Variant, other: Variant, answer: Answer): Promise<Response> {
    const { lane, visitor, decision } = x.choice;
    x.headers.set(OWN.variant, other);
    if (x.rescueWaitMs) await scheduler.wait(x.rescueWaitMs);
    const attempt = new Attempt(undefined, Date.now(), visitor, decision.bucket);
    const second = await this.#ask(x, attempt, other, lane.timeoutMs, undefined);
    const good = outcomeOf(second, lane) === "success";
    if (side === "green") {
      lane.budget.settle(good, Date.now());
      if (good) this.#recorder.rescue(x.attempt);
    }
    const [taken, left] = good ? [second, answer] : [answer, second];
    if (typeof left !== "string") discard(left);
    return this.#respond(x, taken);
  }

  #respond(x: Exchange, answer: Answer): Response {
    if (typeof answer === "string") return answerFor(answer);
    const { anchor, lane } = x.choice;
    if (anchor === undefined || !isNavigation(x.request)) return respond(answer, x.target, lane, undefined);
    const site = {
      scheme: x.target.scheme,
      host: x.target.host,
      cookieDomain: lane.route.cookieDomain,
    };
    return respond(answer, x.target, lane, () => visitorCookie(mintVisitor(anchor), site));
  }
}

function outcomeOf(answer: Answer, lane: Lane): Outcome {
  return typeof answer === "string" ? answer : outcomeOfStatus(answer.status, lane.route.errorStatuses);
}

/** May the other side be asked too: a GET or HEAD that is neither an upgrade nor a part of a download. */
function isReplaceable({ method, headers }: Request): boolean {
  return (method === "GET" || method === "HEAD") && !headers.has("upgrade") && !headers.has("range");
}
