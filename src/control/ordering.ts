/** What operators order: edits, ways back, commands. Each is carried out once, and everybody hears of what has changed. */
import type { Command } from "../core/rollout/progress.ts";
import type { Adopting } from "./adopting.ts";
import type { Changes } from "./changes.ts";
import type {
  CommandRequest,
  CommandResult,
  EditFlag,
  GoBack,
  IfMatch,
  Ordered,
  PutDocument,
  Resume,
  ResumeResult,
  WriteResult,
} from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { Edits } from "./edits.ts";
import { rolloutView } from "./rollout-view.ts";
import type { Specs } from "./specs.ts";
import { WaysBack } from "./ways-back.ts";
import { type Hindrance, type Write, Writes } from "./writes.ts";

/** What orders need of the controller. */
export interface OrderingHost {
  decisions: Decisions;
  adopting: Adopting;
  changes: Changes;
  /** Waits for the start; throws where what was decided before is not known. */
  started(): Promise<void>;
  /** Adopts a person's edit that is in KV; puts what is not in KV yet. Never fails. */
  read(): Promise<void>;
  /** Tells everyone what is decided. */
  announce(now: number): void;
  /** Another text has become the spec. */
  adopted(): void;
}

export class Ordering {
  readonly #host: OrderingHost;
  readonly #decisions: Decisions;
  readonly #specs: Specs;
  readonly #edits: Edits;
  readonly #waysBack: WaysBack;
  readonly #writes: Writes;

  constructor(host: OrderingHost, specs: Specs) {
    const { decisions, adopting, changes } = host;
    this.#host = host;
    this.#decisions = decisions;
    this.#specs = specs;
    this.#edits = new Edits(decisions, adopting, specs);
    this.#waysBack = new WaysBack(decisions, changes, this.#edits);
    this.#writes = new Writes({
      once: decisions.once,
      started: () => host.started(),
      read: () => host.read(),
    });
  }

  editFlag({ flag, edit, ifMatch, ...order }: EditFlag): Promise<WriteResult> {
    // Whoever puts over what they have seen does not want to make anew what is gone.
    const gone = edit.kind === "put" ? "" : undefined;
    const etag = () => (this.#specs.has(flag) ? this.#specs.etagOf(flag) : gone);
    return this.#write(order, ifMatch, etag, flag, (now, remember) =>
      this.#edits.flag({ flag, edit, order, now, remember }),
    );
  }

  putDocument({ text, ifMatch, keepsFaults = false, ...order }: PutDocument): Promise<WriteResult> {
    return this.#write(order, ifMatch, this.#documentEtag, undefined, (now, remember) =>
      this.#edits.document({ text, order, now, remember }, keepsFaults),
    );
  }

  setEnabled({
    enabled,
    ifMatch,
    ...order
  }: Ordered & { enabled: boolean; ifMatch: IfMatch }): Promise<WriteResult> {
    return this.#write(order, ifMatch, this.#documentEtag, undefined, (now, remember) =>
      this.#edits.enabled({ enabled, order, now, remember }),
    );
  }

  goBack(back: GoBack): Promise<WriteResult> {
    const flag = "flag" in back.to ? back.to.flag : undefined;
    const etag = flag === undefined ? this.#documentEtag : this.#etagOf(flag);
    return this.#write(back, back.ifMatch, etag, flag, (now, remember) =>
      this.#waysBack.go(back, now, remember),
    );
  }

  /** Obeys a command to a flag's rollout, or says why not. */
  command(request: CommandRequest): Promise<CommandResult> {
    const { flag, ifMatch } = request;
    return this.#writes.carryOut<CommandResult>({
      order: request,
      ifMatch,
      etag: this.#etagOf(flag),
      urgent: isUrgent(request.command),
      refuse: (reason) => ({ ok: false, reason, sentence: sentenceOf(reason) }),
      act: (now, remember) => {
        let result: CommandResult | undefined;
        this.#decisions.durably(
          () => {
            result = this.#host.changes.command(request, now);
          },
          () => {
            if (!result?.ok) return;
            const { revision } = this.#decisions.rollout;
            const rollout = rolloutView(this.#decisions, flag, now)!;
            result = { ok: true, revision, rollout, etag: this.#specs.etagOf(flag), replayed: false };
            remember(result);
          },
        );
        if (result!.ok) this.#host.announce(now);
        return result!;
      },
    });
  }

  /** Lifts a halt: the only way there is. */
  resume(order: Resume): Promise<ResumeResult> {
    const { flag, ifMatch } = order;
    return this.#writes.carryOut<ResumeResult>({
      order,
      ifMatch,
      etag: this.#etagOf(flag),
      refuse: (reason) => ({ ok: false, reason, sentence: sentenceOf(reason) }),
      act: (now, remember) => {
        let result: ResumeResult = {
          ok: false,
          reason: "not-halted",
          sentence: `${flag} has no halt or pause to lift`,
        };
        let done = false;
        this.#decisions.durably(
          () => {
            done = this.#host.changes.resume(order, now);
          },
          () => {
            if (!done) return;
            const { revision } = this.#decisions.rollout;
            result = { ok: true, revision, etag: this.#edits.etag(flag), replayed: false };
            remember(result);
          },
        );
        if (done) this.#host.announce(now);
        return result;
      },
    });
  }

  readonly #documentEtag = () => this.#specs.documentEtag();

  /** Undefined where there is no such flag: the order itself says so. */
  #etagOf(flag: string): () => string | undefined {
    return () => (this.#specs.has(flag) ? this.#specs.etagOf(flag) : undefined);
  }

  #write(
    order: Ordered,
    ifMatch: IfMatch,
    etag: () => string | undefined,
    flag: string | undefined,
    act: Write<WriteResult>["act"],
  ): Promise<WriteResult> {
    return this.#writes.carryOut<WriteResult>({
      order,
      ifMatch,
      etag,
      refuse: (reason) => this.#edits.refusal(reason, sentenceOf(reason), flag),
      act: (now, remember) => {
        const { rollout } = this.#decisions;
        const before = { revision: rollout.revision, hash: rollout.specHash };
        const result = act(now, remember);
        if (rollout.revision !== before.revision) this.#host.announce(now);
        if (rollout.specHash !== before.hash) this.#host.adopted();
        return result;
      },
    });
  }
}

/** Does it take green away, or keep it from rising, at once? */
function isUrgent(command: Command): boolean {
  return command.name === "pause" || (command.name === "rollback" && command.mode !== "gradual");
}

function sentenceOf(reason: Hindrance): string {
  return reason === "conflict"
    ? "It has been changed since you read it: read it again, and apply your change to that"
    : "This Idempotency-Key stands for another write: take a new one";
}
