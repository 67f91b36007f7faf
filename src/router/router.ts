/** From a request to the flag that routes it and the decision about it. One router per isolate. */
import { DEFAULT_COHORT, type Decision, decide } from "../core/flag/evaluate.ts";
import type { CompiledFlag } from "../core/flag/table.ts";
import { visitorHash } from "../core/hashing/visitor.ts";
import { configOf } from "../edge/config.ts";
import { log, wordsOf } from "../edge/log.ts";
import { problem } from "../edge/problem.ts";
import type { State } from "../edge/state.ts";
import { Attempt } from "./attempt.ts";
import type { Choice } from "./choice.ts";
import { Exchanger } from "./exchange.ts";
import { answerFor } from "./failure.ts";
import { Flusher } from "./flusher.ts";
import { ask } from "./forward.ts";
import { outgoingHeaders, setForwarded } from "./headers.ts";
import { identify } from "./identity.ts";
import { Keeper } from "./keeper.ts";
import { Lanes, type Origin, originOf } from "./lane.ts";
import { Recorder } from "./recorder.ts";
import { type Hidden, respond } from "./respond.ts";
import type { Target } from "./target.ts";

/** Time that an origin outside of any route has for its headers, milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;

const HIDE_NOTHING: Hidden = { authorities: new Set(), hosts: new Set() };

export class Router {
  readonly recorder = new Recorder();
  readonly flusher: Flusher;
  readonly keeper: Keeper;
  readonly #state: State;
  readonly #lanes: Lanes;
  readonly #exchanger: Exchanger;

  constructor(state: State) {
    this.#state = state;
    this.flusher = new Flusher(this.recorder, state);
    this.keeper = new Keeper(this.recorder, this.flusher);
    this.#lanes = new Lanes(this.recorder);
    this.#exchanger = new Exchanger(this.recorder, this.keeper);
  }

  /**
   * Answers one request of the traffic. On the usual way nothing is awaited before the request is on its way to an
   * origin, and one promise is added to that of `fetch`: each costs more than the decision.
   */
  handle(request: Request, env: Env, ctx: ExecutionContext, target: Target): Promise<Response> {
    const state = this.#state;
    const now = Date.now();
    let held = false;
    if (now >= state.wakeAt) {
      if (state.isCold) return this.#handleCold(request, env, ctx, target);
      held = state.refresh(env, ctx, now);
    }
    return this.#route(request, env, ctx, target, now, held);
  }

  async #handleCold(request: Request, env: Env, ctx: ExecutionContext, target: Target): Promise<Response> {
    await this.#state.warmUp(env, ctx);
    return this.#route(request, env, ctx, target, Date.now(), true);
  }

  #route(
    request: Request,
    env: Env,
    ctx: ExecutionContext,
    target: Target,
    now: number,
    held: boolean,
  ): Promise<Response> {
    const { knowing } = this.#state;
    const flag = knowing.table.match(target.host, target.path);
    if (!flag) {
      this.#state.wonder(env, ctx, now);
      return this.#unrouted(request, env, ctx, target);
    }
    const choice = this.#choose(flag, request.headers, now);
    if (choice.decision.variant === "green" && this.#state.mustHear(env, ctx, now)) {
      return this.#state.hear().then(() => this.#route(request, env, ctx, target, Date.now(), true));
    }
    const holds = this.keeper.touch(env, ctx, now) || held;
    try {
      return this.#exchanger.exchange(choice, request, env, ctx, target, now, holds);
    } catch (error) {
      // A fault of ours is no fault of the visitor's.
      log("error", "request-failed", { flag: flag.name, error: wordsOf(error) });
      return pass(request, env, ctx, target, choice.lane.blue, choice.lane.timeoutMs, choice.lane);
    }
  }

  #choose(flag: CompiledFlag, headers: Headers, now: number): Choice {
    const lane = this.#lanes.of(flag);
    try {
      const id = identify(flag, headers);
      return {
        lane,
        decision: decide(flag, id, now),
        visitor: visitorHash(id.visitor),
        anchor: id.anchor,
      };
    } catch (error) {
      log("error", "decision-failed", { flag: flag.name, error: wordsOf(error) });
      const decision: Decision = {
        variant: "blue",
        reason: "ERROR",
        cohort: DEFAULT_COHORT,
        placement: "address",
        bucket: 0,
      };
      return { lane, decision, visitor: 0, anchor: undefined };
    }
  }

  /** A request that no flag routes: to the default origin, if there is one. */
  async #unrouted(request: Request, env: Env, ctx: ExecutionContext, target: Target): Promise<Response> {
    const { defaultOrigin } = configOf(env);
    if (this.#state.knowing.table.isClosed(target.host))
      return problem(
        "no-route",
        "This host is the admin API's own (ADMIN_HOSTS): nothing is forwarded from it.",
      );
    if (defaultOrigin !== undefined) {
      return pass(request, env, ctx, target, originOf(defaultOrigin), DEFAULT_TIMEOUT_MS, HIDE_NOTHING);
    }
    if (this.#state.knowing.origin !== "nothing") return problem("no-route");
    return problem(
      "no-flag-document",
      "Put one with: wrangler kv key put --binding FLAGS --remote flags --path my-flags.json",
    );
  }
}

/** Passes a request on without counting it. */
async function pass(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
  target: Target,
  origin: Origin,
  timeoutMs: number,
  hidden: Hidden,
): Promise<Response> {
  const headers = outgoingHeaders(request.headers);
  setForwarded(headers, request.headers.get("cf-connecting-ip"), target.authority, target.scheme);
  const attempt = new Attempt(undefined, Date.now(), 0, 0);
  const answer = await ask({ request, env, ctx, target, headers, held: true }, attempt, origin, timeoutMs);
  return typeof answer === "string" ? answerFor(answer) : respond(answer, target, hidden, undefined);
}
