/**
 * Circuit breaker of this isolate for green of one flag: after enough failures it keeps requests from green for a
 * while. Pure; the time is a parameter (milliseconds).
 */

/** How a breaker is set, milliseconds. */
export interface BreakerSettings {
  failureThreshold: number;
  monitoringPeriodMs: number;
  resetTimeoutMs: number;
  /** After so long a probe that has not returned is given up. */
  probeTimeoutMs: number;
}

/** What to do with a request: let it through, let it through as the probe, or keep it from green. */
export type Admission = "pass" | "probe" | "divert";

export type BreakerState = "closed" | "open" | "half-open";

/** Failures of fewer distinct visitors may be the fault of one client. */
const MIN_VISITORS = 3;
/** Part of the last requests that must have failed. */
const DOWN = 0.7;

/**
 * It opens when, within `monitoringPeriodMs`, `failureThreshold` requests have failed, and at least seven in ten of the
 * last 2 × threshold requests failed, and either the failures came from 3 distinct visitors (or as many as the threshold,
 * if that is less), or no visitor outside the failing ones has had a success in the period. So neither
 * background errors under much traffic (at 5 % five of ten fail by chance every few hours, seven once in weeks) nor one client in a retry loop among healthy others ever opens it, and green
 * that is down for its only visitor does. After `resetTimeoutMs` one request at a time goes through as a probe; its
 * success closes the breaker, its failure opens it again.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  #state: BreakerState = "closed";
  #openedAt = 0;
  /** When the probe under way began; 0 for none. */
  #probeAt = 0;
  /** Outcomes of the last 2 × threshold requests, 1 = failed, as a ring. */
  readonly #recent: Uint8Array;
  #recentNext = 0;
  #recentCount = 0;
  #recentFailed = 0;
  /** Time and visitor of the last `threshold` failures, as a ring. */
  readonly #failedAt: Float64Array;
  readonly #failedBy: Int32Array;
  #failedNext = 0;
  /**
   * The last 3 distinct visitors that had a success, newest first: enough to find one outside a failing set of at
   * most 2, and larger ones need none.
   */
  readonly #succeededAt = new Float64Array(MIN_VISITORS).fill(Number.NEGATIVE_INFINITY);
  readonly #succeededBy = new Int32Array(MIN_VISITORS).fill(-1);

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.#recent = new Uint8Array(2 * settings.failureThreshold);
    this.#failedAt = new Float64Array(settings.failureThreshold).fill(Number.NEGATIVE_INFINITY);
    this.#failedBy = new Int32Array(settings.failureThreshold).fill(-1);
  }

  /** The state as a person would name it. */
  state(now: number): BreakerState {
    return this.#state === "open" && now - this.#openedAt >= this.#settings.resetTimeoutMs
      ? "half-open"
      : this.#state;
  }

  /** May a request go to green? Every `probe` must be followed by `settle` or `release`. */
  admit(now: number): Admission {
    if (this.#state === "closed") return "pass";
    if (this.#state === "open") {
      if (now - this.#openedAt < this.#settings.resetTimeoutMs) return "divert";
      this.#state = "half-open";
    }
    if (this.#probeAt !== 0 && now - this.#probeAt < this.#settings.probeTimeoutMs) return "divert";
    this.#probeAt = now;
    return "probe";
  }

  /** Notes the end of a request to green. `visitor` is a small hash that tells visitors apart. */
  settle(admission: Admission, ok: boolean, visitor: number, now: number): void {
    if (admission === "probe") {
      if (this.#state !== "half-open") return;
      if (ok) this.#reset();
      else this.#open(now);
      return;
    }
    // Late answers to requests from before it opened say nothing new.
    if (this.#state !== "closed") return;
    this.#push(ok ? 0 : 1);
    if (ok) {
      this.#noteSuccess(visitor, now);
      return;
    }
    this.#failedAt[this.#failedNext] = now;
    this.#failedBy[this.#failedNext] = visitor;
    this.#failedNext = (this.#failedNext + 1) % this.#failedAt.length;
    if (this.#isDown(now)) this.#open(now);
  }

  /** The probe ended without telling anything (the visitor left): the next request may try. */
  release(admission: Admission): void {
    if (admission === "probe") this.#probeAt = 0;
  }

  #push(failed: 0 | 1): void {
    const ring = this.#recent;
    this.#recentFailed += failed - ring[this.#recentNext]!;
    ring[this.#recentNext] = failed;
    this.#recentNext = (this.#recentNext + 1) % ring.length;
    if (this.#recentCount < ring.length) this.#recentCount++;
  }

  #noteSuccess(visitor: number, now: number): void {
    const by = this.#succeededBy;
    const at = this.#succeededAt;
    if (by[0] !== visitor) {
      const from = by[1] === visitor ? 1 : MIN_VISITORS - 1;
      for (let i = from; i > 0; i--) {
        by[i] = by[i - 1]!;
        at[i] = at[i - 1]!;
      }
      by[0] = visitor;
    }
    at[0] = now;
  }

  #isDown(now: number): boolean {
    const since = now - this.#settings.monitoringPeriodMs;
    // The ring holds exactly `threshold` failures: the oldest is the one to be overwritten next.
    if (this.#failedAt[this.#failedNext]! <= since) return false;
    if (this.#recentFailed < DOWN * this.#recentCount) return false;
    const failing = new Set(this.#failedBy);
    if (failing.size >= Math.min(MIN_VISITORS, this.#failedBy.length)) return true;
    return !this.#succeededBy.some((by, i) => this.#succeededAt[i]! > since && !failing.has(by));
  }

  #open(now: number): void {
    this.#reset();
    this.#state = "open";
    this.#openedAt = now;
  }

  #reset(): void {
    this.#state = "closed";
    this.#probeAt = 0;
    this.#recent.fill(0);
    this.#recentNext = this.#recentCount = this.#recentFailed = 0;
    this.#failedAt.fill(Number.NEGATIVE_INFINITY);
    this.#failedBy.fill(-1);
    this.#succeededAt.fill(Number.NEGATIVE_INFINITY);
    this.#succeededBy.fill(-1);
  }
}
