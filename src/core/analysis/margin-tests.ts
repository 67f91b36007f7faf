/**
 * The tests of non-inferiority that the gates of one stage ask for, by margin and alpha. Each begins when it is first
 * asked for and begins anew with the stage; what is known of blue goes on.
 */
import { addSide, type Counts } from "./block.ts";
import type { ComparisonTick } from "./comparing.ts";
import { NonInferiority, type NonInferiorityConfig } from "./non-inferiority.ts";
import { StateReader, StateWriter } from "./state-io.ts";

/** Blue's rate is a moving one over so many visitor-minutes. */
const MEAN_REQUESTS = 30_000;
/** Tests at once: more than the gates of a stage, fewer than a document that is edited all day could ask for. */
const MAX_TESTS = 32;

/** The tests in JSON. */
export interface SavedMarginTests {
  blue: Counts;
  compared: boolean;
  tests: (NonInferiorityConfig & { state: string })[];
}

export class MarginTests {
  readonly #tests = new Map<string, { config: NonInferiorityConfig; test: NonInferiority }>();
  readonly #blue: Counts = { requests: 0, errors: 0 };
  /** Were both sides seen in one tick since the stage began? */
  #compared = false;

  /** Takes ticks in order. `strength` is the comparison's. */
  observe(ticks: readonly ComparisonTick[], strength: number): void {
    for (const { blue, green } of ticks) {
      for (const { test } of this.#tests.values()) test.observe(blue, green, strength);
      const keep = Math.exp(-blue.requests / MEAN_REQUESTS);
      this.#blue.requests *= keep;
      this.#blue.errors *= keep;
      addSide(this.#blue, blue);
      if (blue.requests > 0 && green.requests > 0) this.#compared = true;
    }
  }

  /** Evidence that green is no worse than `margin` allows; undefined while nothing was compared. */
  of(margin: number, alpha: number): { evidence: number; passed: boolean } | undefined {
    const { test } = this.#tests.get(`${margin}|${alpha}`) ?? this.#open({ margin, alpha });
    return this.#compared ? { evidence: test.evidence, passed: test.passed } : undefined;
  }

  /** Another stage begins. */
  restart(): void {
    this.#tests.clear();
    this.#compared = false;
  }

  save(): SavedMarginTests {
    const tests = [...this.#tests.values()].map(({ config, test }) => {
      const writer = new StateWriter();
      test.visit(writer);
      return { ...config, state: writer.text() };
    });
    return { blue: { ...this.#blue }, compared: this.#compared, tests };
  }

  /** Inverse of `save`. */
  static load({ blue, compared, tests }: SavedMarginTests): MarginTests {
    const loaded = new MarginTests();
    Object.assign(loaded.#blue, blue);
    loaded.#compared = compared;
    for (const { state, margin, alpha } of tests) {
      const test = new NonInferiority({ margin, alpha });
      test.visit(new StateReader(state));
      loaded.#tests.set(`${margin}|${alpha}`, { config: { margin, alpha }, test });
    }
    return loaded;
  }

  #open(config: NonInferiorityConfig): { test: NonInferiority } {
    const opened = { config, test: new NonInferiority(config) };
    opened.test.learn(this.#blue);
    if (this.#tests.size >= MAX_TESTS) this.#tests.delete([...this.#tests.keys()][0]!);
    this.#tests.set(`${config.margin}|${config.alpha}`, opened);
    return opened;
  }
}
