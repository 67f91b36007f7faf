/** What operators ask of the controller: answers are put together here from its memory. What they order is in `orders`. */
import type { ChangesView, FlagSpecView, MetricsView, RevisionView, UsageView } from "../core/api/views.ts";
import type { AuditEntry } from "../core/rollout/audit-chain.ts";
import type { PastRollout } from "../core/rollout/history.ts";
import type { AuditPage, OperatorApi, PullState } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { Ordering, type OrderingHost } from "./ordering.ts";
import { Specs } from "./specs.ts";
import { metricsOf, usageOf } from "./usage.ts";

/** Audit entries that one answer about changes holds. */
const MOST_CHANGES = 200;

/** What the operator's part needs of the controller. */
export interface OperatorHost extends OrderingHost {
  /** Waits for the start, as long as a reader may wait. */
  known(): Promise<void>;
}

export class Operator implements Omit<OperatorApi, "editFlag" | "putDocument" | "setEnabled" | "goBack"> {
  /** What is ordered, not asked. */
  readonly orders: Ordering;
  readonly #host: OperatorHost;
  readonly #decisions: Decisions;
  readonly #specs: Specs;

  constructor(host: OperatorHost) {
    this.#host = host;
    this.#decisions = host.decisions;
    this.#specs = new Specs(host.decisions);
    this.orders = new Ordering(host, this.#specs);
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

  #changesSince(after: number): ChangesView {
    const entries = this.#decisions.audit.since(after, MOST_CHANGES);
    // Who is ahead of all there is has followed a log that was lost, and goes on with what comes next.
    const last = entries.at(-1)?.id ?? this.#decisions.audit.last;
    return { revision: this.#decisions.rollout.revision, last, entries };
  }
}
