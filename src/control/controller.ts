/**
 * The Durable Object that decides: the single writer of status. Counts are judged when they arrive, and nothing that
 * leads to a decision waits for the outside. Here is only its front: what isolates, the outbox and operators may call.
 */
import { DurableObject } from "cloudflare:workers";
import { hashText } from "../core/hashing/text.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { decodeForward } from "../core/wire/decode.ts";
import type { EditOffer, ForwardAnswer } from "../core/wire/messages.ts";
import type { Observation, ObserverApi } from "../core/wire/outbox.ts";
import { shardCount, shardStub } from "../edge/objects.ts";
import type {
  AuditPage,
  CommandRequest,
  ControllerApi,
  EditFlag,
  GoBack,
  OperatorApi,
  PullState,
  PutDocument,
  Resume,
  RolloutView,
  StatusView,
} from "./controller-api.ts";
import { Engine, PATIENCE_MS } from "./engine.ts";
import { Operator } from "./operator.ts";
import { rolloutView } from "./rollout-view.ts";
import { statusOf } from "./status.ts";
import type { Ingest, IngestResult } from "./telemetry-api.ts";
import { settled } from "./within.ts";

export class RolloutController extends DurableObject<Env> implements ControllerApi, ObserverApi, OperatorApi {
  readonly #engine: Engine;
  readonly #operator: Operator;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const engine = new Engine(ctx, env);
    this.#engine = engine;
    this.#operator = new Operator({
      decisions: engine.decisions,
      adopting: engine.adopting,
      changes: engine.changes,
      started: () => engine.started(),
      known: () => engine.known(),
      read: () => engine.read(),
      announce: (now) => engine.announce(now),
      adopted: () => engine.adopted(),
    });
  }

  async forward(raw: unknown): Promise<ForwardAnswer> {
    const forward = decodeForward(raw);
    const now = Date.now();
    void this.#engine.start();
    const { have, changed } = this.#engine.decisions.take(forward, now);
    if (changed) this.#engine.announce(now);
    this.#engine.comparing.soon(now);
    return this.#engine.answer(have, forward.revision ?? 0);
  }

  async offerEdit(offer: EditOffer): Promise<ForwardAnswer> {
    if (hashText(offer.text) !== offer.hash) throw new TypeError("offer: expected the hash of its text");
    await this.#engine.takeOffer(offer);
    return this.#engine.answer(0, 0);
  }

  async current(): Promise<Snapshot | undefined> {
    const started = this.#engine.start();
    if (!this.#engine.snapshot) await settled(started, PATIENCE_MS);
    return this.#engine.snapshot;
  }

  /** The status, with what the shards had not forwarded yet. */
  async status(): Promise<StatusView> {
    await this.#engine.known();
    this.#engine.readStale();
    const shards = Array.from({ length: shardCount(this.env) }, async (_, i) =>
      shardStub(this.env, i).settle(),
    );
    await settled(Promise.allSettled(shards), PATIENCE_MS);
    const pulls = Boolean(this.env.PULL_URL);
    return statusOf(this.#engine.decisions, { kvReadAt: this.#engine.kvReadAt, now: Date.now(), pulls });
  }

  /** Where a flag's rollout is; undefined for a flag that the spec does not name. */
  async rollout(flag: string): Promise<RolloutView | undefined> {
    await settled(this.#engine.start(), PATIENCE_MS);
    this.#engine.readStale();
    return rolloutView(this.#engine.decisions, flag, Date.now());
  }

  /** Takes what an origin or an Alertmanager pushes. */
  async ingest(push: Ingest): Promise<IngestResult> {
    await this.#engine.started();
    const now = Date.now();
    const { result, changed } = this.#engine.changes.ingest(push, now);
    if (changed) this.#engine.announce(now);
    return result;
  }

  /** Takes what the outbox has found, each once and in order. */
  async observe(observations: Observation[]): Promise<{ have: number }> {
    await this.#engine.started();
    const now = Date.now();
    const { have, changed } = this.#engine.changes.observe(observations, now);
    if (changed) this.#engine.announce(now);
    return { have };
  }

  override alarm(): Promise<void> {
    return this.#engine.alarm();
  }

  specs() {
    return this.#operator.specs();
  }

  spec(flag: string) {
    return this.#operator.spec(flag);
  }

  document() {
    return this.#operator.document();
  }

  revisions(page: { limit: number; before?: number }) {
    return this.#operator.revisions(page);
  }

  revision(revision: number) {
    return this.#operator.revision(revision);
  }

  editFlag(edit: EditFlag) {
    return this.#operator.orders.editFlag(edit);
  }

  putDocument(put: PutDocument) {
    return this.#operator.orders.putDocument(put);
  }

  setEnabled(order: Parameters<OperatorApi["setEnabled"]>[0]) {
    return this.#operator.orders.setEnabled(order);
  }

  goBack(back: GoBack) {
    return this.#operator.orders.goBack(back);
  }

  /** Obeys a command to a flag's rollout, or says why not. */
  command(request: CommandRequest) {
    return this.#operator.orders.command(request);
  }

  /** Lifts a halt: the only way there is. */
  resume(order: Resume) {
    return this.#operator.orders.resume(order);
  }

  metrics(about: { flag: string; seconds: number }) {
    return this.#operator.metrics(about);
  }

  usage(about: { flag?: string; seconds: number }) {
    return this.#operator.usage(about);
  }

  /** Rollouts of a flag, the newest first, older than number `before`. */
  history(page: { flag: string; limit: number; before?: number }) {
    return this.#operator.history(page);
  }

  audit(page: AuditPage) {
    return this.#operator.audit(page);
  }

  changes(about: { after: number; revision: number; waitMs: number }) {
    return this.#operator.changes(about);
  }

  pullState() {
    return this.#operator.pullState();
  }

  savePullState(state: PullState) {
    return this.#operator.savePullState(state);
  }
}
