/** One request through the router: identity, decision, breaker, origin, rescue, record. One router per isolate. */

import type { Outcome, Variant } from "../core/analysis/tally.ts";
import { type Decision, decide } from "../core/flag/evaluate.ts";
import type { CompiledFlag } from "../core/flag/table.ts";
import { murmur3 } from "../core/hashing/murmur3.ts";
import { configOf } from "../edge/config.ts";
import { log, wordsOf } from "../edge/log.ts";
import { problem } from "../edge/problem.ts";
import type { State } from "../edge/state.ts";
import { type Answer, Attempt, discard } from "./attempt.ts";
import type { Admission } from "./breaker.ts";
import { answerFor, outcomeOfStatus } from "./failure.ts";
import { Flusher } from "./flusher.ts";
import { ask, askAgain, isReplayable, type Passage } from "./forward.ts";
import { type Outgoing, outgoingHeaders, setForwarded } from "./headers.ts";
import { type Identity, identify } from "./identity.ts";
import { Keeper } from "./keeper.ts";
import { type Lane, Lanes, type Origin, originOf } from "./lane.ts";
import { Recorder, type Row } from "./recorder.ts";
import { isRescued } from "./rescue.ts";
import { type Hidden, respond } from "./respond.ts";
import { type Target, targetOf } from "./target.ts";
import { isNavigation, mintVisitor, visitorCookie } from "./visitor.ts";

/** Time that an origin outside of any route has for its headers, milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Seed of the hash that tells visitors apart; other than any flag's, so that a flag's share does not thin it out. */
const VISITOR_SEED = 0x76697369;

const HIDE_NOTHING = { authorities: new Set<string>(), hosts: new Set<string>() };

/** What was decided about a request. */
interface Choice {
  lane: Lane;
  decision: Decision;
  id: Identity | undefined;
  /** 32-bit hash of the visitor. */
  visitor: number;
}

export class Router {
  readonly recorder = new Recorder();
  readonly flusher: Flusher;
  readonly keeper: Keeper;
  readonly #state: State;
  readonly #lanes: Lanes;

  constructor(state: State) {
    this.#state = state;
    this.flusher = new Flusher(this.recorder, state);
    this.keeper = new Keeper(this.recorder, this.flusher);
    this.#lanes = new Lanes(this.recorder);
  }

  /** Answers one request of the traffic. */
  async handle(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const state = this.#state;
    let now = Date.now();
    let held = false;
    if (now >= state.wakeAt) {
      held = true;
      const warm = state.wake(env, ctx, now);
      if (warm) {
        await warm;
        now = Date.now();
      }
    }
    const target = targetOf(request.url);
    let flag = state.knowing.table.match(target.host, target.path);
    if (!flag) return this.#unrouted({ request, env, ctx, target, held });
    let choice = this.#choose(flag, request);
    if (!state.knowing.heard && choice.decision.variant === "green" && state.mustHear(now)) {
      await state.hear();
      now = Date.now();
      flag = state.knowing.table.match(target.host, target.path) ?? flag;
      choice = this.#choose(flag, request);
    }
    if (this.keeper.touch(env, ctx, now)) held = true;
    try {
      return await this.#serve(choice, request, env, ctx, target, now, held);
    } catch (error) {
      log("error", "request-failed", { flag: flag.name, error: wordsOf(error) });
      return this.#plainBlue(choice.lane, { request, env, ctx, target, held });
    }
  }

  /** Blue without anything of ours around it, after a fault of ours. */
  async #plainBlue(lane: Lane, given: Omit<Passage, "headers">): Promise<Response> {
    if (given.request.bodyUsed) return problem("bad-gateway");
    return this.#pass(given, lane.blue, lane.timeoutMs, lane);
  }

  /** Decides. A fault of ours is no fault of the visitor's: it sends them to blue. */
  #choose(flag: CompiledFlag, request: Request): Choice {
    const lane = this.#lanes.of(flag);
    try {
      const id = identify(flag, request.headers);
      return { lane, id, decision: decide(flag, id), visitor: murmur3(id.visitor, VISITOR_SEED) };
    } catch (error) {
      log("error", "decision-failed", { flag: flag.name, error: wordsOf(error) });
      const decision: Decision = {
        variant: "blue",
        reason: "ERROR",
        cohort: "ga",
        placement: "address",
        bucket: 0,
      };
      return { lane, id: undefined, decision, visitor: 0 };
    }
  }

  async #serve(
    choice: Choice,
    request: Request,
    env: Env,
    ctx: ExecutionContext,
    target: Target,
    now: number,
    held: boolean,
  ): Promise<Response> {
    const { lane, decision } = choice;
    const { flag, route, breaker } = lane;
    const out = outgoingHeaders(request.headers);
    const { headers } = out;
    setForwarded(headers, request.headers.get("cf-connecting-ip"), target.authority, target.scheme);
    headers.set("x-greenlight-flag", flag.name);
    headers.set("x-greenlight-cohort", decision.cohort);
    headers.set("x-greenlight-release", flag.spec.release);
    const passage: Passage = { request, env, ctx, target, headers, held };

    const row = lane.row(decision.variant, decision.cohort, decision.placement);
    let answer: Answer;
    if (decision.variant === "blue") {
      answer = await this.#askBlue(passage, choice, row, out, now);
    } else {
      const admission = breaker.admit(now);
      if (admission === "divert") {
        this.recorder.divert(row, choice.visitor, now);
        answer = (await this.#askUncounted(passage, choice, "blue", now)).answer;
      } else {
        answer = await this.#askGreen(passage, choice, row, out, admission, now);
      }
    }
    if (typeof answer === "string") return answerFor(answer);
    return respond(answer, target, lane, this.#cookieFor(choice, request, target, route.cookieDomain));
  }

  /** Blue for a visitor of blue. Where blue cannot be reached, green may be the way out. */
  async #askBlue(passage: Passage, choice: Choice, row: Row, out: Outgoing, now: number): Promise<Answer> {
    const { lane } = choice;
    lane.budget.noteRequest(now);
    const attempt = new Attempt(row, now, choice.visitor, choice.decision.bucket);
    const answer = await this.#ask(passage, attempt, lane, "blue", lane.timeoutMs);
    const outcome = outcomeOf(answer, lane);
    this.recorder.close(attempt, outcome, Date.now(), lane.slowAfterMs);
    if (outcome === "success") lane.budget.noteSuccess();
    if (!lane.route.wayOut || outcome === "success" || outcome === "censored") return answer;
    const { flag } = lane;
    const unreachable = typeof answer === "string" || isRescued("unreachable", answer.status);
    const mayGoGreen = flag.stop === undefined && (flag.spec.state === "canary" || flag.spec.state === "on");
    if (!unreachable || !mayGoGreen || !isRescuable(passage.request, out)) return answer;
    return this.#replace(passage, choice, answer, "green");
  }

  /** Green for a visitor of green, and blue for them where green fails and the budget allows. */
  async #askGreen(
    passage: Passage,
    choice: Choice,
    row: Row,
    out: Outgoing,
    admission: Admission,
    now: number,
  ): Promise<Answer> {
    const { lane, visitor } = choice;
    const { breaker, budget, route } = lane;
    const rescuable = route.rescue !== "off" && isRescuable(passage.request, out);
    let taken = false;
    let extended = false;
    // At the end of green's shorter time it is waited for to the end of the longer one where no rescue can be had.
    const expire = rescuable
      ? () => {
          taken = taken || budget.take(Date.now());
          if (taken || extended) return undefined;
          extended = true;
          return lane.timeoutMs - lane.rescueAfterMs;
        }
      : undefined;
    const attempt = new Attempt(row, now, visitor, choice.decision.bucket);
    const limit = rescuable ? lane.rescueAfterMs : lane.timeoutMs;
    const answer = await this.#ask(passage, attempt, lane, "green", limit, expire);

    const outcome = outcomeOf(answer, lane);
    const then = Date.now();
    const failed = this.recorder.close(attempt, outcome, then, lane.slowAfterMs);
    if (outcome === "censored") breaker.release(admission);
    else breaker.settle(admission, !failed, visitor >>> 20, then);
    if (!failed) return answer;
    this.keeper.hurry(passage.env, passage.ctx, then);
    if (!rescuable || outcome === "censored") return answer;
    if (typeof answer !== "string" && !isRescued(route.rescue, answer.status)) return answer;
    if (!taken && !budget.take(then)) return answer;
    const rescued = await this.#replace(passage, choice, answer, "blue");
    budget.settle(rescued !== answer, Date.now());
    if (rescued !== answer) this.recorder.rescue(attempt);
    return rescued;
  }

  /** The other side's answer if it is a good one, else the answer that there is. */
  async #replace(passage: Passage, choice: Choice, answer: Answer, side: Variant): Promise<Answer> {
    const other = await this.#askUncounted(passage, choice, side, Date.now());
    if (other.outcome === "success") {
      if (typeof answer !== "string") discard(answer);
      return other.answer;
    }
    if (typeof other.answer !== "string") discard(other.answer);
    return answer;
  }

  /** Asks a side for a request that is none of its own: it enters no sum. */
  async #askUncounted(
    passage: Passage,
    choice: Choice,
    side: Variant,
    now: number,
  ): Promise<{ answer: Answer; outcome: Outcome }> {
    const attempt = new Attempt(undefined, now, choice.visitor, choice.decision.bucket);
    const answer = await this.#ask(passage, attempt, choice.lane, side, choice.lane.timeoutMs);
    this.recorder.end(attempt);
    return { answer, outcome: outcomeOf(answer, choice.lane) };
  }

  #ask(
    passage: Passage,
    attempt: Attempt,
    lane: Lane,
    side: Variant,
    timeoutMs: number,
    expire?: () => number | undefined,
  ): Promise<Answer> {
    passage.headers.set("x-greenlight-variant", side);
    this.recorder.begin(attempt);
    const origin = side === "green" ? lane.green : lane.blue;
    const { retry } = lane.route;
    return retry !== undefined && isReplayable(passage.request)
      ? askAgain(passage, attempt, origin, timeoutMs, this.keeper, retry, expire)
      : ask(passage, attempt, origin, timeoutMs, this.keeper, expire);
  }

  /** A request that no flag routes: to the default origin, if there is one. */
  #unrouted(given: Omit<Passage, "headers">): Promise<Response> | Response {
    const { defaultOrigin } = configOf(given.env);
    if (defaultOrigin === undefined) {
      if (this.#state.knowing.origin !== "nothing") return problem("no-route");
      return problem(
        "no-flag-document",
        "Put one with: wrangler kv key put --binding FLAGS --remote flags --path my-flags.json",
      );
    }
    return this.#pass(given, originOf(defaultOrigin), DEFAULT_TIMEOUT_MS, HIDE_NOTHING);
  }

  /** Passes a request on without counting it. Nobody keeps time for it, so it looks after itself. */
  async #pass(
    given: Omit<Passage, "headers">,
    origin: Origin,
    timeoutMs: number,
    hidden: Hidden,
  ): Promise<Response> {
    const { request, target } = given;
    const { headers } = outgoingHeaders(request.headers);
    setForwarded(headers, request.headers.get("cf-connecting-ip"), target.authority, target.scheme);
    const attempt = new Attempt(undefined, Date.now(), 0, 0);
    const answer = await ask({ ...given, headers, held: true }, attempt, origin, timeoutMs, this.keeper);
    return typeof answer === "string" ? answerFor(answer) : respond(answer, target, hidden, undefined);
  }

  /** Makes the visitor cookie, for a navigation of a visitor who has none. */
  #cookieFor(
    { id }: Choice,
    request: Request,
    target: Target,
    cookieDomain: string | undefined,
  ): (() => string) | undefined {
    const anchor = id?.anchor;
    if (anchor === undefined || !isNavigation(request)) return undefined;
    return () =>
      visitorCookie(mintVisitor(anchor), { scheme: target.scheme, host: target.host, cookieDomain });
  }
}

function outcomeOf(answer: Answer, lane: Lane): Outcome {
  return typeof answer === "string" ? answer : outcomeOfStatus(answer.status, lane.route.errorStatuses);
}

/** A GET or HEAD that is neither an upgrade nor a part of a download can be sent to the other side. */
function isRescuable({ method }: Request, { upgrade, range }: Outgoing): boolean {
  return (method === "GET" || method === "HEAD") && !upgrade && !range;
}
