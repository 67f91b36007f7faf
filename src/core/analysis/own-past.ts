/**
 * Green's own earlier failures: what it is compared with where blue has no traffic. A weaker comparison, for whatever
 * befalls both origins looks like green's fault.
 */
import type { StateIo } from "./state-io.ts";

/** The last minutes are not past yet: a green that gets worse must not become its own measure; milliseconds. */
const PRESENT_MS = 300_000;
/** Length of the moving mean, milliseconds. */
const MEAN_MS = 3_600_000;
/** Requests of the past without which it says nothing. */
const MIN_REQUESTS = 200;
/** Standard errors by which the past may have been worse than it looks. */
const CAUTION = 2;

export class OwnPast {
  #requests = 0;
  #errors = 0;
  /** The last minutes, oldest first: two halves of them. */
  #newRequests = 0;
  #newErrors = 0;
  #lastRequests = 0;
  #lastErrors = 0;
  #since = Number.NaN;

  /** Takes a tick of green that ended at `at`. */
  observe(at: number, requests: number, errors: number): void {
    if (Number.isNaN(this.#since)) this.#since = at;
    this.#newRequests += requests;
    this.#newErrors += errors;
    if (at - this.#since < PRESENT_MS) return;
    const keep = Math.exp(-(at - this.#since) / MEAN_MS);
    this.#requests = this.#requests * keep + this.#lastRequests;
    this.#errors = this.#errors * keep + this.#lastErrors;
    this.#lastRequests = this.#newRequests;
    this.#lastErrors = this.#newErrors;
    this.#newRequests = 0;
    this.#newErrors = 0;
    this.#since = at;
  }

  /** Failures per request that the past can explain, cautiously; undefined while it is too short. */
  get rate(): number | undefined {
    if (this.#requests < MIN_REQUESTS) return undefined;
    return (this.#errors + 1 + CAUTION * Math.sqrt(this.#errors + 1)) / this.#requests;
  }

  /** What the past is made of, the longer ago the less of it; for those who say what green is compared with. */
  get counts(): { requests: number; errors: number } {
    return { requests: Math.round(this.#requests), errors: Math.round(this.#errors) };
  }

  /** A new release has no past. */
  restart(): void {
    this.#requests = this.#errors = 0;
    this.#newRequests = this.#newErrors = 0;
    this.#lastRequests = this.#lastErrors = 0;
    this.#since = Number.NaN;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.#requests = io.number(this.#requests);
    this.#errors = io.number(this.#errors);
    this.#newRequests = io.number(this.#newRequests);
    this.#newErrors = io.number(this.#newErrors);
    this.#lastRequests = io.number(this.#lastRequests);
    this.#lastErrors = io.number(this.#lastErrors);
    this.#since = io.number(this.#since);
  }
}
