/** Visitors that come to a router again and again, as traffic does, until told to stop. */
import { Crowd, type Round } from "../../src/cli/demo-visitors.ts";

/** Milliseconds between two rounds: several routers share a small machine. */
const PAUSE_MS = 150;

/** A crowd of browsers on its rounds. */
export class Traffic {
  /** The last whole round. */
  last: Round | undefined;
  /** Sums over all rounds. */
  readonly sum = { visits: 0, errors: 0, left: 0 };
  readonly #crowd: Crowd;
  readonly #url: string;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(url: string, size: number) {
    this.#url = url;
    this.#crowd = new Crowd(size);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // While the router is down nobody gets an answer, and nobody is counted.
      const round = await this.#crowd.visit(this.#url).catch(() => undefined);
      this.last = round;
      this.sum.visits += round?.visits ?? 0;
      this.sum.errors += round?.errors ?? 0;
      this.sum.left += round?.left ?? 0;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}
