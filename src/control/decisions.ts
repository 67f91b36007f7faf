/**
 * The controller's memory and how it changes: each change is one transaction, all of it or nothing, in memory as in
 * storage. It knows nothing of the world outside: whom to tell is the controller's business.
 */
import { Sums } from "../core/analysis/sums.ts";
import type { Telemetry } from "../core/analysis/telemetry.ts";
import type { EditState } from "../core/rollout/edits.ts";
import type { Halt, Snapshot } from "../core/rollout/snapshot.ts";
import type { Forward } from "../core/wire/messages.ts";
import type { OutboxApi } from "../core/wire/outbox.ts";
import { AlertStore } from "./alert-store.ts";
import { AuditLog } from "./audit.ts";
import { Breakers } from "./breakers.ts";
import { CONTROLLER } from "./by.ts";
import { ComparisonStore } from "./comparison-store.ts";
import { type Closed, Comparisons } from "./comparisons.ts";
import { CountsStore } from "./counts-store.ts";
import { Evidence } from "./evidence.ts";
import { FlagMarks } from "./flag-marks.ts";
import { History } from "./history.ts";
import { stageCounts } from "./looking.ts";
import { Notes } from "./notes.ts";
import { OnceStore } from "./once-store.ts";
import { Outgoing } from "./outgoing.ts";
import { Revisions } from "./revisions.ts";
import { Rollbacks } from "./rollbacks.ts";
import { emptyRollout, type Rollout, recovered } from "./rollout.ts";
import { RolloutStore } from "./rollout-store.ts";
import { Rollouts } from "./rollouts.ts";
import { Telemetries } from "./telemetry.ts";
import { Turn } from "./turn.ts";
import { Waiters } from "./waiters.ts";
import { Watch } from "./watch.ts";

/** Windows and comparisons are written down so often: a crash costs so much evidence, never a sum; milliseconds. */
const SAVE_EVIDENCE_MS = 5_000;
/** Clocks of rollouts are written down so often where nothing else changes: a crash makes a stage so much longer. */
const SAVE_CLOCKS_MS = 30_000;

export class Decisions {
  readonly store: RolloutStore;
  readonly counts: CountsStore;
  readonly audit: AuditLog;
  readonly history: History;
  readonly outgoing: Outgoing;
  readonly notes: Notes;
  readonly alerts: AlertStore;
  readonly revisions: Revisions;
  readonly marks: FlagMarks;
  readonly once: OnceStore;
  /** Who waits for a change. */
  readonly waiters = new Waiters();
  readonly sums = new Sums();
  readonly evidence = new Evidence();
  readonly comparisons: Comparisons;
  readonly telemetry: Telemetries;
  readonly rollouts: Rollouts;
  readonly rollbacks: Rollbacks;
  readonly watch: Watch;
  readonly #breakers: Breakers;
  readonly #turn: Turn;
  #rollout: Rollout;
  #known: boolean;
  #savedEvidenceAt = 0;
  #savedClocksAt = 0;

  /** `environment`: name of the one that this is. */
  constructor(
    ctx: DurableObjectState,
    outbox: () => Pick<OutboxApi, "take">,
    environment: string | undefined = undefined,
  ) {
    const { storage } = ctx;
    const rollout = () => this.#rollout;
    this.store = new RolloutStore(storage);
    this.counts = new CountsStore(storage);
    this.audit = new AuditLog(storage);
    this.history = new History(storage);
    this.outgoing = new Outgoing(storage, outbox);
    this.notes = new Notes(storage);
    this.alerts = new AlertStore(storage);
    this.revisions = new Revisions(storage);
    this.marks = new FlagMarks(storage);
    this.once = new OnceStore(storage);
    const { store, audit, outgoing, waiters } = this;
    this.#turn = new Turn(ctx, { rollout, known: () => this.#known, store, audit, outgoing, waiters });
    const stored = this.store.loadRollout();
    this.#known = stored !== undefined;
    this.#rollout = { ...(stored ?? emptyRollout()), environment };
    this.comparisons = new Comparisons(new ComparisonStore(storage), rollout);
    this.telemetry = new Telemetries(storage, (flag) => this.#rollout.flags.has(flag), !this.#known);
    this.rollouts = new Rollouts(this, {
      rollout,
      counts: (flag, now) => stageCounts(this.telemetryOf(flag, now)),
      restartRules: (flag, now) => this.restartRules(flag, now),
      rolledBack: (flag, now) => this.rollbacks.began(flag, now),
      moved: (flag, now) => this.follow(flag, now),
    });
    this.rollbacks = new Rollbacks(rollout, this.rollouts);
    this.#breakers = new Breakers(rollout, this.rollouts);
    this.watch = new Watch({
      rollout,
      rollouts: this.rollouts,
      sums: this.sums,
      evidence: this.evidence,
      comparisons: this.comparisons,
      telemetry: (flag, now) => this.telemetryOf(flag, now),
      alerts: this.alerts,
      store: this.store,
      wouldHalt: (halt) => this.#wouldHalt(halt),
    });
    this.sums.load(this.counts.loadShards());
    this.evidence.load(this.counts.loadWindows());
  }

  /** False while an empty store's past is not known: counts are taken, nothing is decided. */
  get known(): boolean {
    return this.#known;
  }

  /** What is decided now. Changed in `durably` only. */
  get rollout(): Rollout {
    return this.#rollout;
  }

  /** When any isolate was heard from last, milliseconds since the epoch; 0 for never. */
  get heardAt(): number {
    return Math.max(0, ...this.sums.shards().map(({ seenAt }) => seenAt));
  }

  /** Goes on from what was published by a controller before, or from nothing. */
  takePast(published: Snapshot | undefined, now: number): void {
    this.durably(() => {
      if (published) {
        this.#rollout = { ...recovered(published, now), environment: this.#rollout.environment };
        this.store.saveFlags(this.#rollout, { changed: [...this.#rollout.flags.keys()], removed: [] });
        for (const [flag, progress] of this.#rollout.progress) this.store.saveProgress(flag, progress);
        for (const halt of this.#rollout.halts) this.store.saveHalt(halt);
        this.telemetry.beginAt(now);
        // Shards tell all of the last minutes again: what was decided on once must not halve green twice.
        for (const [name, { release }] of this.#rollout.flags)
          this.evidence.restart(name, release, published.at);
        this.audit.add({
          at: now,
          who: CONTROLLER.who,
          how: CONTROLLER.how,
          action: "recover",
          flag: null,
          release: null,
          previous: null,
          next: null,
          percentage: null,
          reason: "the store was empty; going on from the published snapshot",
          figures: { from: published.revision, revision: this.#rollout.revision },
        });
      }
      this.store.saveHead(this.#rollout);
    });
    this.#known = true;
  }

  /** Takes a forward over and judges what is new in it. `have`: the version stored of that shard. */
  take(forward: Forward, now: number): { have: number; changed: boolean } {
    let have = 0;
    const changed = this.durably(() => {
      const { shard, fresh, groups } = this.sums.take(forward, now);
      have = shard.version;
      if (!fresh) return;
      this.counts.saveShard(shard, groups);
      const taken = this.evidence.take(forward.cells, now);
      const closed = this.comparisons.take(taken, now);
      this.telemetry.take(taken, now);
      this.#compared(closed);
      this.rollbacks.take(taken);
      this.rollbacks.check(now, this.heardAt);
      this.#breakers.take(taken, now);
      this.watch.judge(new Set([...closed.keys(), ...taken.map(({ id }) => id.flag)]), now);
      this.#save(now);
    });
    return { have, changed };
  }

  /** Compares what is complete by now without a forward, and judges it; true when something was decided. */
  compare(now: number): boolean {
    return this.durably(() => {
      const closed = this.comparisons.close(now);
      this.#compared(closed);
      this.watch.judge(closed.keys(), now);
      this.#save(now);
    });
  }

  /** Looks at every rollout that waits for something, also where nothing was counted; true when something was decided. */
  look(now: number): boolean {
    return this.durably(() => {
      this.watch.judge(this.watch.awaited(), now);
      this.rollbacks.check(now, this.heardAt);
      this.#save(now);
    });
  }

  /** What is known of the last writers of the document. */
  saveEdits(edits: EditState): void {
    this.durably(() => {
      this.#rollout.edits = edits;
      this.store.saveHead(this.#rollout);
    });
  }

  /** Rules of a flag's present release begin anew: only what starts after `now` counts. */
  restartRules(flag: string, now: number): void {
    const release = this.#rollout.flags.get(flag)?.release;
    if (release === undefined) return;
    this.evidence.restart(flag, release, now);
    this.comparisons.of(flag)?.restart();
    this.comparisons.save(flag);
    this.alerts.forget(flag);
    this.counts.saveWindows(this.evidence.changed(), []);
  }

  /** Telemetry counts from where the flag's rollout is. */
  follow(flag: string, now: number): void {
    const { release, startedAt, stageAt } = this.rollouts.of(flag);
    this.telemetry.stage(flag, { release, releaseAt: startedAt, stageAt }, now);
  }

  /** What conditions of a flag are measured from. */
  telemetryOf(flag: string, now: number): Telemetry {
    // What was kept of it may have been lost or unreadable; where the rollout is, is known.
    this.follow(flag, now);
    const { smoke } = this.rollouts.of(flag);
    return this.telemetry.of(flag, now, { heardAt: this.heardAt, smoke });
  }

  /** Revision that the change under way will have. */
  get upcoming(): number {
    return this.#turn.upcoming;
  }

  /**
   * Makes a change: all of it or nothing, in memory as in storage. True when what is published has changed. A change within
   * another is part of it. `last` is in the transaction as well, when the revision is known.
   */
  durably(change: () => void, last?: () => void): boolean {
    return this.#turn.make(change, last);
  }

  #wouldHalt({ flag, release, at, rule, reason, figures }: Halt): void {
    const share = this.rollouts.of(flag).share / 1000;
    const place = { previous: null, next: null, percentage: share };
    const by = { who: CONTROLLER.who, how: CONTROLLER.how };
    this.audit.add({
      at,
      ...by,
      action: "would-halt",
      flag,
      release,
      ...place,
      reason,
      figures: { rule, ...figures },
    });
  }

  #compared(closed: Closed): void {
    for (const [flag, { ticks, strength }] of closed) this.telemetry.compared(flag, ticks, strength);
  }

  #save(now: number): void {
    if (now - this.#savedEvidenceAt >= SAVE_EVIDENCE_MS) {
      this.#savedEvidenceAt = now;
      const gone = this.evidence.prune(this.#rollout.flags, now);
      this.counts.saveWindows(this.evidence.changed(), gone);
      this.comparisons.saveChanged(now);
      this.telemetry.save(now);
    }
    if (now - this.#savedClocksAt < SAVE_CLOCKS_MS) return;
    this.#savedClocksAt = now;
    this.rollouts.saveChanged();
    this.watch.save();
  }
}
