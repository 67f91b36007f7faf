/** What operators ask of the controller and order of it: answers are put together here, orders are carried out once. */
import type { ChangesView, FlagSpecView, MetricsView, RevisionView, UsageView } from "../core/api/views.ts";
import type { AuditEntry } from "../core/rollout/audit-chain.ts";
import type { PastRollout } from "../core/rollout/history.ts";
import type { Adopting } from "./adopting.ts";
import type { Changes } from "./changes.ts";
import type {
  AuditPage,
  CommandRequest,
  CommandResult,
  EditFlag,
  GoBack,
  IfMatch,
  OperatorApi,
  Ordered,
  PullState,
  PutDocument,
  Resume,
  ResumeResult,
  WriteResult,
} from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { Edits } from "./edits.ts";
import { rolloutView } from "./rollout-view.ts";
import { Specs } from "./specs.ts";
import { metricsOf, usageOf } from "./usage.ts";
import { WaysBack } from "./ways-back.ts";
import { type Hindrance, type Write, Writes } from "./writes.ts";

/** Audit entries that one answer about changes holds. */
const MOST_CHANGES = 200;

/** What the operator's part needs of the controller. */
export interface OperatorHost {
  decisions: Decisions;
  adopting: Adopting;
  changes: Changes;
  /** Name of the environment that this is. */
  environment: string | undefined;
  /** Waits for the start; throws where what was decided before is not known. */
  started(): Promise<void>;
  /** Waits for the start, as long as a reader may wait. */
  known(): Promise<void>;
  /** Adopts a person's edit that is in KV; puts what is not in KV yet. Never fails. */
  read(): Promise<void>;
  /** Tells everyone what is decided. */
  announce(now: number): void;
  /** Another text has become the spec. */
  adopted(): void;
}

export class Operator implements OperatorApi {
  readonly #host: OperatorHost;
  readonly #decisions: Decisions;
  readonly #specs: Specs;
  readonly #edits: Edits;
  readonly #waysBack: WaysBack;
  readonly #writes: Writes;

  constructor(host: OperatorHost) {
    const { decisions, adopting, changes } = host;
    this.#host = host;
    this.#decisions = decisions;
    this.#specs = new Specs(decisions, host.environment);
    this.#edits = new Edits(decisions, adopting, this.#specs);
    this.#waysBack = new WaysBack(decisions, changes, this.#edits);
    this.#writes = new Writes({
      once: decisions.once,
      started: () => host.started(),
      read: () => host.read(),
    });
  }

  async specs() {
    await this.#host.known();
    return this.#specs.list();
  }

  async spec(flag: string): Promise<FlagSpecView | undefined> {
    await this.#host.known();
    return this.#specs.of(flag);
  }

  async document() {
    await this.#host.known();
    return this.#specs.document();
  }

  async revisions(page: { limit: number; before?: number }): Promise<RevisionView[]> {
    return this.#decisions.revisions.read(page);
  }

  async revision(revision: number): Promise<string | undefined> {
    return this.#decisions.revisions.text(revision);
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

  async metrics(about: { flag: string; seconds: number }): Promise<MetricsView | undefined> {
    await this.#host.known();
    return metricsOf(this.#decisions, about, Date.now());
  }

  async usage(about: { flag?: string; seconds: number }): Promise<UsageView[]> {
    await this.#host.known();
    return usageOf(this.#decisions, about, Date.now());
  }

  async history({ flag, limit, before }: Parameters<OperatorApi["history"]>[0]): Promise<PastRollout[]> {
    return this.#decisions.history.read(flag, limit, before);
  }

  async audit(page: AuditPage): Promise<AuditEntry[]> {
    return this.#decisions.audit.read(page);
  }

  async changes({
    after,
    revision,
    waitMs,
  }: {
    after: number;
    revision: number;
    waitMs: number;
  }): Promise<ChangesView> {
    await this.#host.known();
    const now = this.#changesSince(after);
    if (now.entries.length > 0 || now.revision > revision) return now;
    await this.#decisions.waiters.wait(waitMs);
    return this.#changesSince(after);
  }

  async pullState(): Promise<PullState | undefined> {
    return this.#decisions.store.pullState();
  }

  async savePullState(state: PullState): Promise<void> {
    this.#decisions.store.savePullState(state);
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
        const hash = this.#decisions.rollout.specHash;
        const result = act(now, remember);
        if (!result.ok) return result;
        this.#host.announce(now);
        if (this.#decisions.rollout.specHash !== hash) this.#host.adopted();
        return result;
      },
    });
  }

  #changesSince(after: number): ChangesView {
    const entries = this.#decisions.audit.since(after, MOST_CHANGES);
    const last = entries.at(-1)?.id ?? Math.max(after, this.#decisions.audit.last);
    return { revision: this.#decisions.rollout.revision, last, entries };
  }
}

function sentenceOf(reason: Hindrance): string {
  return reason === "conflict"
    ? "It has been changed since you read it: read it again, and apply your change to that"
    : "This Idempotency-Key stands for another write: take a new one";
}
