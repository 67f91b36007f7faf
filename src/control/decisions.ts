/**
 * The controller's memory and how it changes: counts taken over and judged, specs adopted, halts made and lifted. Each
 * change is one transaction. It knows nothing of the world outside: whom to tell is the controller's business.
 */
import { Sums } from "../core/analysis/sums.ts";
import { parseDocument } from "../core/flag/parse.ts";
import { type EditState, onAdopt } from "../core/rollout/edits.ts";
import type { Halt, Snapshot } from "../core/rollout/snapshot.ts";
import type { Forward } from "../core/wire/messages.ts";
import { AuditLog } from "./audit.ts";
import { ComparisonStore } from "./comparison-store.ts";
import { Comparisons } from "./comparisons.ts";
import type { Resume } from "./controller-api.ts";
import { ControllerStore } from "./controller-store.ts";
import { Evidence } from "./evidence.ts";
import { judgeSafely } from "./judging.ts";
import { adoptDocument, emptyRollout, haltOf, isJudged, type Rollout, recovered } from "./rollout.ts";

/** Windows and comparisons are written down so often: a crash costs so much evidence, never a sum; milliseconds. */
const SAVE_EVIDENCE_MS = 5_000;

/** Where a text comes from. */
export interface AdoptedFrom {
  source: "kv" | "api";
  who: string;
  reason: string;
}

export class Decisions {
  readonly store: ControllerStore;
  readonly audit: AuditLog;
  readonly sums = new Sums();
  readonly evidence = new Evidence();
  readonly comparisons: Comparisons;
  readonly #ctx: DurableObjectState;
  #rollout: Rollout;
  #known: boolean;
  #savedEvidenceAt = 0;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    this.store = new ControllerStore(ctx.storage);
    this.audit = new AuditLog(ctx.storage);
    const rollout = this.store.loadRollout();
    this.#known = rollout !== undefined;
    this.#rollout = rollout ?? emptyRollout();
    this.comparisons = new Comparisons(new ComparisonStore(ctx.storage), () => this.#rollout);
    this.sums.load(this.store.loadShards());
    this.evidence.load(this.store.loadWindows());
  }

  /** False while an empty store's past is not known: counts are taken, nothing is decided. */
  get known(): boolean {
    return this.#known;
  }

  /** What is decided now. Read only: changes go through the methods. */
  get rollout(): Readonly<Rollout> {
    return this.#rollout;
  }

  /** Goes on from what was published by a controller before, or from nothing. */
  takePast(published: Snapshot | undefined, now: number): void {
    this.#durably(() => {
      if (published) {
        this.#rollout = recovered(published, now);
        this.store.saveFlags(this.#rollout, { changed: [...this.#rollout.flags.keys()], removed: [] });
        for (const halt of this.#rollout.halts) this.store.saveHalt(halt);
        this.audit.add({
          at: now,
          who: "controller",
          action: "recover",
          flag: null,
          release: null,
          reason: "the store was empty; going on from the published snapshot",
          figures: { from: published.revision, revision: this.#rollout.revision },
        });
      }
      this.store.saveHead(this.#rollout);
    });
    this.#known = true;
  }

  /** Takes a forward over and judges what is new in it. `have`: the version stored of that shard. */
  take(forward: Forward, now: number): { have: number; halted: boolean } {
    return this.#durably(() => {
      const { shard, fresh, groups } = this.sums.take(forward, now);
      if (!fresh) return { have: shard.version, halted: false };
      this.store.saveShard(shard, groups);
      const taken = this.evidence.take(forward.cells, now);
      const closed = this.comparisons.take(taken, now);
      const halted = this.#judge(new Set([...closed, ...taken.map(({ id }) => id.flag)]), now);
      this.#saveEvidence(now);
      return { have: shard.version, halted };
    });
  }

  /** Compares what is complete by now without a forward, and judges it; true when a flag was halted. */
  compare(now: number): boolean {
    return this.#durably(() => {
      const halted = this.#judge(this.comparisons.close(now), now);
      this.#saveEvidence(now);
      return halted;
    });
  }

  /** Makes a text the spec. */
  adopt(text: string, hash: string, { source, who, reason }: AdoptedFrom, now: number): void {
    const parsed = parseDocument(text);
    this.#durably(() => {
      const adoption = adoptDocument(this.#rollout, parsed, hash);
      this.#rollout.edits = onAdopt(this.#rollout.edits, { hash, source }, now);
      this.store.saveFlags(this.#rollout, adoption);
      for (const flag of adoption.removed) this.comparisons.forget(flag);
      this.store.saveText(text);
      this.store.saveHead(this.#rollout);
      this.audit.add({
        at: now,
        who,
        action: "adopt",
        flag: null,
        release: null,
        reason,
        figures: { hash, ...adoption, faults: parsed.faults.length },
      });
    });
  }

  /**
   * Lifts the halt of a release, or what a dry run has noted of it; by default of the one that the spec names. Only
   * what starts from now on counts.
   */
  resume({ flag, release, who, reason }: Resume, now: number): boolean {
    const present = this.#rollout.flags.get(flag)?.release;
    const named = release ?? present;
    if (named === undefined) return false;
    const lifted = haltOf(this.#rollout, flag, named);
    const compared = named === present ? this.comparisons.of(flag) : undefined;
    const halt = lifted ?? compared?.wouldHalt[0];
    if (!halt) return false;
    this.#durably(() => {
      this.#rollout.halts = this.#rollout.halts.filter((other) => other !== lifted);
      this.#rollout.revision++;
      this.evidence.restart(flag, named, now);
      compared?.restart();
      this.comparisons.save(flag);
      this.store.deleteHalt(flag, named);
      this.store.saveWindows(this.evidence.changed(), []);
      this.store.saveHead(this.#rollout);
      const figures = { haltedAt: halt.at, rule: halt.rule };
      this.audit.add({ at: now, who, action: "resume", flag, release: named, reason, figures });
    });
    return true;
  }

  /** Notes the text of the kill key; true when it has changed, and isolates without KV must hear of it. */
  sawKill(kill: string): boolean {
    if (!this.#known || this.#rollout.revision === 0 || kill === this.#rollout.kill) return false;
    this.#durably(() => {
      this.#rollout.kill = kill;
      this.#rollout.revision++;
      this.store.saveHead(this.#rollout);
    });
    return true;
  }

  /** What is known of the last writers of the document. */
  saveEdits(edits: EditState): void {
    this.#durably(() => {
      this.#rollout.edits = edits;
      this.store.saveHead(this.#rollout);
    });
  }

  /** Judges flags that have new evidence; true when one was halted. */
  #judge(names: Iterable<string>, now: number): boolean {
    const halts: Halt[] = [];
    for (const name of names) {
      const flag = this.#rollout.flags.get(name);
      if (!flag || !isJudged(this.#rollout, name)) continue;
      const { release, dryRun } = flag;
      const compared = this.comparisons.of(name);
      const window = this.evidence.of(name, release);
      const past = { comparison: compared?.view(), memory: compared?.memory };
      const judgement = judgeSafely(name, { flag, window, heardAt: now, now, ...past });
      compared?.remember(judgement.memory);
      if (judgement.verdict !== "unhealthy") continue;
      const { rule, sentence, figures } = judgement;
      const halt: Halt = {
        flag: name,
        release,
        action: "rollback",
        at: now,
        rule,
        reason: sentence,
        figures,
      };
      if (!dryRun) halts.push(halt);
      else if (compared?.note(halt)) this.#log("would-halt", halt);
      else continue;
      this.comparisons.save(name);
    }
    if (halts.length === 0) return false;
    this.#rollout.halts = [...this.#rollout.halts, ...halts];
    this.#rollout.revision++;
    for (const halt of halts) {
      this.store.saveHalt(halt);
      this.#log("halt", halt);
    }
    this.store.saveHead(this.#rollout);
    return true;
  }

  #log(action: "halt" | "would-halt", { flag, release, at, rule, reason, figures }: Halt): void {
    const details = { rule, ...figures };
    this.audit.add({ at, who: "controller", action, flag, release, reason, figures: details });
  }

  #saveEvidence(now: number): void {
    if (now - this.#savedEvidenceAt < SAVE_EVIDENCE_MS) return;
    this.#savedEvidenceAt = now;
    const gone = this.evidence.prune(this.#rollout.flags, now);
    this.store.saveWindows(this.evidence.changed(), gone);
    this.comparisons.saveChanged(now);
  }

  /** All of a change or nothing of it, in memory as in storage: a failure gives up memory, which is then read anew. */
  #durably<T>(change: () => T): T {
    try {
      return this.#ctx.storage.transactionSync(change);
    } catch (error) {
      this.#ctx.abort(`a decision could not be written: ${String(error)}`);
      throw error;
    }
  }
}
