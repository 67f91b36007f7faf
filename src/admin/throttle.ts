/** How failed attempts to get in are slowed: by address and in all, within one isolate. It knows no clock. */

/** Failures are remembered for so long, milliseconds. */
const WINDOW_MS = 60_000;
/** Failures of one address within the window; a person who mistypes stays below. */
const MAX_OF_ONE = 10;
/** Failures in all: so many may wait for their answer at once, whatever the number of addresses. */
const MAX_IN_ALL = 100;
/** Addresses remembered; the one that failed longest ago is forgotten first. */
const MAX_ADDRESSES = 1_000;
/** The first failure is answered so late, each further one twice as late, milliseconds. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/** What a failure costs. */
export interface Slowed {
  /** Milliseconds until it is answered. */
  waitMs: number;
  /** Seconds after which it is worth trying again; null: the answer says what was wrong. */
  retryAfter: number | null;
  /** Failures of this address within the window; while it is refused, since then. */
  count: number;
  /** Failures that were refused in all, since the last minute without any. */
  refused: number;
  /** Is it worth a line in the log? Of a flood every tenth, hundredth, thousandth … is. */
  isTold: boolean;
}

/** Failures within the window, oldest first, and how many more were refused since it is full. */
class Failures {
  readonly #most: number;
  #times: number[] = [];
  refused = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#times.length + this.refused;
  }

  /** When there is room again, milliseconds since the epoch; 0: now. */
  fullUntil(now: number): number {
    this.#times = this.#times.filter((at) => now - at < WINDOW_MS);
    return this.#times.length < this.#most ? 0 : this.#times[0]! + WINDOW_MS;
  }

  add(now: number): void {
    this.#times.push(now);
    this.refused = 0;
  }
}

/** The failures that one isolate has seen. A success changes nothing: others may be behind the same address. */
export class Throttle {
  readonly #all = new Failures(MAX_IN_ALL);
  /** In order of their last failure. */
  readonly #addresses = new Map<string, Failures>();
  #refused = 0;

  /** Takes note of a failure; `now` is in milliseconds since the epoch. */
  failed(address: string, now: number): Slowed {
    const one = this.#of(address);
    const until = Math.max(one.fullUntil(now), this.#all.fullUntil(now));
    if (until > 0) {
      one.refused += 1;
      this.#refused += 1;
      const retryAfter = Math.max(1, Math.ceil((until - now) / 1000));
      const isTold = /^10*$/.test(String(this.#refused));
      return { waitMs: 0, retryAfter, count: one.count, refused: this.#refused, isTold };
    }
    one.add(now);
    this.#all.add(now);
    if (this.#all.count === 1) this.#refused = 0;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (one.count - 1), LONGEST_WAIT_MS);
    return { waitMs, retryAfter: null, count: one.count, refused: this.#refused, isTold: true };
  }

  #of(address: string): Failures {
    const one = this.#addresses.get(address) ?? new Failures(MAX_OF_ONE);
    this.#addresses.delete(address);
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.delete(this.#addresses.keys().next().value!);
    this.#addresses.set(address, one);
    return one;
  }
}

/** The address that attempts are counted by: of IPv6 the network of 64 bits, for that is what one customer gets. */
export function networkOf(address: string | null): string {
  if (!address) return "unknown";
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const groups = [
    ...before,
    ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"),
    ...after,
  ];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
