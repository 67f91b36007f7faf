/** What both sides did since evidence began to rise: the figures of the sentence that explains it. */
import type { ComparisonView, Signal } from "./comparing.ts";
import { BUCKETS, quantileMs } from "./histogram.ts";
import type { StateIo } from "./state-io.ts";

/** Quantiles that are shown for latency, the slowest difference of them. */
const SHOWN = [0.5, 0.75, 0.9, 0.95, 0.99];

interface Counts {
  blue: { requests: number; errors: number };
  green: { requests: number; errors: number };
}

export class Since {
  readonly #errors = newCounts();
  readonly #latency = newCounts();
  readonly #slow = new Float64Array(BUCKETS);

  /** Takes a block; counts begin anew while a signal's evidence does not rise. */
  observe(
    blue: Counts["blue"],
    green: Counts["green"],
    latency: Float64Array | undefined,
    errorsRise: boolean,
    latencyRises: boolean,
  ): void {
    if (errorsRise) add(this.#errors, blue, green);
    else clear(this.#errors);
    if (!latencyRises) {
      clear(this.#latency);
      this.#slow.fill(0);
      return;
    }
    add(this.#latency, blue, green);
    if (latency) for (let i = 0; i < BUCKETS; i++) this.#slow[i]! += latency[i]!;
  }

  /** Copies of the counts behind a signal. */
  counts(signal: Signal): Counts {
    const { blue, green } = signal === "errors" ? this.#errors : this.#latency;
    return { blue: { ...blue }, green: { ...green } };
  }

  /** The quantile by which green's latency differs most from blue's (counts by bucket); undefined without any. */
  slower(blue: Float64Array): ComparisonView["slower"] {
    let most: ComparisonView["slower"];
    for (const quantile of SHOWN) {
      const blueMs = quantileMs(blue, quantile);
      const greenMs = quantileMs(this.#slow, quantile);
      if (blueMs === undefined || greenMs === undefined) return undefined;
      if (!most || greenMs / blueMs > most.greenMs / most.blueMs) most = { quantile, blueMs, greenMs };
    }
    return most;
  }

  /** Forgets all. */
  restart(): void {
    clear(this.#errors);
    clear(this.#latency);
    this.#slow.fill(0);
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    for (const { blue, green } of [this.#errors, this.#latency]) {
      for (const side of [blue, green]) {
        side.requests = io.number(side.requests);
        side.errors = io.number(side.errors);
      }
    }
    io.array(this.#slow);
  }
}

function newCounts(): Counts {
  return { blue: { requests: 0, errors: 0 }, green: { requests: 0, errors: 0 } };
}

function clear({ blue, green }: Counts): void {
  blue.requests = blue.errors = green.requests = green.errors = 0;
}

function add(into: Counts, blue: Counts["blue"], green: Counts["green"]): void {
  into.blue.requests += blue.requests;
  into.blue.errors += blue.errors;
  into.green.requests += green.requests;
  into.green.errors += green.errors;
}
