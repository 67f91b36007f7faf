/** The mind of the controller in plain Node: the product's own decisions over storage in memory, without its world. */
import { Adopting } from "../../src/control/adopting.ts";
import { Changes } from "../../src/control/changes.ts";
import type { CommandRequest, CommandResult } from "../../src/control/controller-api.ts";
import { Decisions } from "../../src/control/decisions.ts";
import { servedShare } from "../../src/control/rollout.ts";
import type { Ingest } from "../../src/control/telemetry-api.ts";
import { hashText } from "../../src/core/hashing/text.ts";
import type { Forward } from "../../src/core/wire/messages.ts";
import type { Message, Validation } from "../../src/core/wire/outbox.ts";
import type { Found, Subject, Where } from "./play.ts";
import { type PlainState, plainState } from "./storage.ts";

export class PlainController implements Subject {
  readonly store: PlainState;
  readonly decisions: Decisions;
  readonly changes: Changes;
  /** What the outbox was given, each key once. */
  readonly told: Map<string, Message>;
  readonly #validations: Map<string, Validation>;
  #observed = 0;

  /** A new one, or with another one given the next life of it: storage is kept, memory is not. */
  constructor(former?: PlainController) {
    this.store = plainState(former?.store.database);
    this.told = former?.told ?? new Map();
    this.#validations = former ? former.#validations : new Map();
    this.#observed = former ? former.#observed : 0;
    this.decisions = new Decisions(this.store.state, () => ({
      take: async ({ messages, validations }) => {
        for (const message of messages) this.told.set(message.key, message);
        for (const validation of validations) this.#validations.set(validation.key, validation);
        return { stored: [...messages, ...validations].map(({ key }) => key) };
      },
    }));
    this.changes = new Changes(this.decisions);
  }

  async adopt(text: string, now: number): Promise<void> {
    if (!this.decisions.known) this.decisions.takePast(undefined, now);
    new Adopting(this.decisions).adopt(
      text,
      hashText(text),
      { source: "api", who: "ann", how: "cli", reason: "as the story says" },
      now,
    );
    await this.#handOver();
  }

  async forward(forward: Forward, now: number): Promise<void> {
    this.decisions.take(forward, now);
    await this.#handOver();
  }

  /** What is complete is compared first: the controller does so at its time, without an alarm. */
  async alarm(now: number): Promise<void> {
    this.decisions.compare(now);
    this.decisions.look(now);
    await this.#handOver();
  }

  async command(request: CommandRequest, now: number): Promise<CommandResult> {
    const result = this.changes.command(request, now);
    await this.#handOver();
    return result;
  }

  async ingest(push: Ingest, now: number): Promise<void> {
    this.changes.ingest(push, now);
    await this.#handOver();
  }

  async observe(found: readonly Found[], now: number): Promise<void> {
    const tried = [...this.#validations.values()].map(({ key, flag }) => {
      return { type: "validated", key, flag, passed: true, sentence: "All requests were answered" } as const;
    });
    this.#validations.clear();
    const all = [...found, ...tried];
    if (all.length === 0) return;
    const numbered = all.map((one) => ({ seq: ++this.#observed, at: now, ...one }));
    this.changes.observe(numbered, now);
    await this.#handOver();
  }

  async where(flag: string): Promise<Where> {
    const { rollout, rollouts } = this.decisions;
    const { phase, stage, signOffs } = rollouts.of(flag);
    return { phase, stage, share: servedShare(rollout, flag), signedOff: signOffs.map(({ role }) => role) };
  }

  /** Handing over is a call that is answered later. */
  async #handOver(): Promise<void> {
    while (this.decisions.outgoing.waiting) await new Promise((resolve) => setImmediate(resolve));
  }
}
