/** A rollout of the flag `shop` in the controller's own mind in plain Node, with traffic and time by hand. */
import { PlainController } from "../../../bench/rollout/plain.ts";
import { documentWith, FLAG, START } from "../../../bench/rollout/stories.ts";
import type { CommandResult } from "../../../src/control/controller-api.ts";
import { Ledger } from "../../../src/core/analysis/ledger.ts";
import { emptyTally, type RowId, rowKey, type Tally } from "../../../src/core/analysis/tally.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { FlagInput } from "../../../src/core/flag/schema.ts";
import type { Command, Progress } from "../../../src/core/rollout/progress.ts";
import { TICK_MS, WIRE_VERSION } from "../../../src/core/wire/messages.ts";

export class Rig {
  controller = new PlainController();
  /** Milliseconds since the epoch. */
  now = START;
  readonly #ledger = new Ledger();
  #have = 0;
  #seq = 0;

  /** Puts a document with the flag. */
  async put(flag: Partial<FlagInput>): Promise<this> {
    return this.putText(documentWith(flag));
  }

  async putText(text: string): Promise<this> {
    const { faults } = parseDocument(text);
    if (faults.length > 0) throw new Error(JSON.stringify(faults));
    await this.controller.adopt(text, this.now);
    return this;
  }

  /** An isolate tells of requests that began in the tick before this one; green's if nothing else is said. */
  async send(tally: Partial<Tally>, id: Partial<RowId> = {}): Promise<void> {
    const { requests: units = 0, errors: unitErrors = 0 } = tally;
    const row = rowKey({
      ...{ flag: FLAG, release: "2.1.0", cohort: "ga", variant: "green", placement: "hash" },
      ...id,
    });
    const cells = [
      {
        row,
        tick: Math.floor(this.now / TICK_MS) - 1,
        tally: { ...emptyTally(), units, unitErrors, ...tally },
      },
    ];
    const batch = {
      v: WIRE_VERSION,
      isolate: "one",
      seq: ++this.#seq,
      inFlight: [],
      revision: 0,
      lost: 0,
      cells,
    };
    this.#ledger.count(batch as Parameters<Ledger["count"]>[0], this.now);
    const forward = this.#ledger.forwardFrom(this.#have, "shard-0", this.now);
    this.#have = forward.version;
    this.#ledger.stored(forward.version);
    await this.controller.forward(forward, this.now);
  }

  /** Lets so many seconds pass by tens, with blue's traffic; each step first does what it is told. */
  async run(seconds: number, each: () => Promise<void> = async () => {}): Promise<void> {
    for (let left = seconds; left > 0; left -= 10) {
      this.now += Math.min(10, left) * 1000;
      await each();
      await this.send({ requests: 100 }, { variant: "blue" });
      await this.controller.alarm(this.now);
      await this.controller.observe([], this.now);
    }
  }

  /** Storage is kept, memory is not. */
  evict(): void {
    this.controller = new PlainController(this.controller);
  }

  order(command: Command): Promise<CommandResult> {
    return this.controller.command({ flag: FLAG, command, who: "ann", how: "cli", reason: "why" }, this.now);
  }

  get progress(): Progress {
    return this.controller.decisions.rollouts.of(FLAG);
  }

  /** Phase and percentage, in short. */
  get at(): string {
    return `${this.progress.phase} ${this.progress.share / 1000}`;
  }

  /** Sentences of a topic, in order. */
  told(topic: string): string[] {
    return [...this.controller.told.values()]
      .filter((m) => m.topic === topic)
      .map(({ sentence }) => sentence);
  }
}
