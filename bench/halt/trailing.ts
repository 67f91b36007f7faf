/** Requests and errors of the last ticks, as dashboards and threshold rules keep them. */
export class Trailing {
  requests = 0;
  errors = 0;
  /** Have there been as many ticks as the window holds? */
  full = false;
  readonly #requests: Uint32Array;
  readonly #errors: Uint32Array;
  #at = 0;

  /** A window of so many ticks. */
  constructor(length: number) {
    this.#requests = new Uint32Array(length);
    this.#errors = new Uint32Array(length);
  }

  /** Takes the next tick in and the oldest out. */
  add(requests: number, errors: number): void {
    const at = this.#at;
    this.#at = (at + 1) % this.#requests.length;
    if (this.#at === 0) this.full = true;
    this.requests += requests - this.#requests[at]!;
    this.errors += errors - this.#errors[at]!;
    this.#requests[at] = requests;
    this.#errors[at] = errors;
  }
}
