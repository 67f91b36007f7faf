/** What may be asked of the controller, and the forms of its answers. */
import type {
  ChangesView,
  DocumentView,
  FlagListView,
  FlagSpecView,
  MetricsView,
  PullView,
  RevisionView,
  RolloutView,
  UsageView,
} from "../core/api/views.ts";
import type { FlagEdit } from "../core/flag/edit.ts";
import type { AuditEntry, How } from "../core/rollout/audit-chain.ts";
import type { PastRollout } from "../core/rollout/history.ts";
import type { Command, Refusal } from "../core/rollout/progress.ts";
import type { Fault, Snapshot } from "../core/rollout/snapshot.ts";
import type { EditOffer, ForwardAnswer } from "../core/wire/messages.ts";
import "../edge/env.ts";

export type { FlagView, GateView, RolloutView, RowView, StatusView, VerdictView } from "../core/api/views.ts";
export type { AuditEntry, AuditRecord } from "../core/rollout/audit-chain.ts";

/** Who orders something, by which way, and why: all of it goes into the audit log. */
export interface Ordered {
  who: string;
  how: How;
  reason: string;
  /** So that it happens once, however often it is asked for. */
  once?: Once;
}

/** A write that may be tried again: its `Idempotency-Key`, and what was asked for. Kept for a day. */
export interface Once {
  /** Hash of who asks and the key that they chose: nobody meets another's. */
  key: string;
  /** Hash of method, path, If-Match and body: another write with the same key is refused. */
  fingerprint: string;
}

/** Why a write was not done. Nothing was changed. */
export type WriteRefusal = {
  ok: false;
  reason:
    | "conflict"
    | "invalid"
    | "unknown-flag"
    | "exists"
    | "no-document"
    | "nothing-earlier"
    | "unknown-revision"
    | "key-reused";
  /** What a person reads, and what to do. */
  sentence: string;
  revision: number;
  /** As it is now, for the next try. */
  etag: string;
  faults: Fault[];
};

/** A write that is done; `replayed`: it was, by an earlier request with the same key. */
export type WriteDone = {
  ok: true;
  revision: number;
  etag: string;
  /** False where it was so before. */
  changed: boolean;
  replayed: boolean;
  /** What a person reads, where there is more to say than that it is done. */
  sentence: string | null;
};
export type WriteResult = WriteDone | WriteRefusal;

/** An etag as the header has it, in quotes; `*`: whatever it is; absent: not asked about. */
export type IfMatch = string | undefined;

/** A change of one flag. */
export interface EditFlag extends Ordered {
  flag: string;
  edit: FlagEdit;
  ifMatch: IfMatch;
}

/** The whole document anew. */
export interface PutDocument extends Ordered {
  text: string;
  ifMatch: IfMatch;
  /** Only a part of it was changed: faults that were there before are no reason to refuse it. */
  keepsFaults?: boolean;
}

/**
 * A way back. `state`: to the last different state with less of green, or to blue where there is none; `version`: to
 * state and percentage of when the flag had that release, and the release itself; `revision`: the whole document.
 */
export interface GoBack extends Ordered {
  to: { flag: string; state: true } | { flag: string; version: string } | { revision: number };
  ifMatch: IfMatch;
}

export interface Resume extends Ordered {
  flag: string;
  /** Absent: the release that the spec names. */
  release?: string;
  /** Etag of the flag; absent: not asked about. */
  ifMatch?: IfMatch;
}
export type ResumeResult =
  | { ok: true; revision: number; etag?: string; replayed?: boolean }
  | { ok: false; reason: "not-halted" | "conflict" | "key-reused"; sentence: string };

/** A command to a flag's rollout. */
export interface CommandRequest extends Ordered {
  flag: string;
  command: Command;
  /** Etag of the flag; absent: not asked about. */
  ifMatch?: IfMatch;
}
export type CommandResult =
  | { ok: true; revision: number; rollout: RolloutView; etag?: string; replayed?: boolean }
  | { ok: false; reason: Refusal | "unknown-flag" | "conflict" | "key-reused"; sentence: string };

/** How the scheduled pull stands, as it is kept from one to the next. */
export interface PullState extends Omit<PullView, "url" | "format"> {
  /** `ETag` of the last good answer, and hash of its text: what is as before changes nothing. */
  etag: string | null;
  hash: string | null;
}

/** Which audit entries are asked for. */
export interface AuditPage {
  limit: number;
  /** Older than the entry of this id. */
  before?: number;
  flag?: string;
  who?: string;
  action?: string;
  /** From `since` on and before `until`, milliseconds since the epoch. */
  since?: number;
  until?: number;
}

/** What operators ask of the controller, beside commands and status. */
export interface OperatorApi {
  /** All flags as they are written and served. */
  specs(): Promise<FlagListView>;
  /** One of them; undefined for a flag that the document does not name. */
  spec(flag: string): Promise<FlagSpecView | undefined>;
  /** The document; undefined before the first, or where its text is not kept. */
  document(): Promise<DocumentView | undefined>;
  /** Documents of earlier, the newest first; older than `before`. */
  revisions(page: { limit: number; before?: number }): Promise<RevisionView[]>;
  /** Text of one of them; undefined where it is not kept. */
  revision(revision: number): Promise<string | undefined>;
  editFlag(edit: EditFlag): Promise<WriteResult>;
  putDocument(put: PutDocument): Promise<WriteResult>;
  /** The global switch of the document. */
  setEnabled(order: Ordered & { enabled: boolean; ifMatch: IfMatch }): Promise<WriteResult>;
  goBack(back: GoBack): Promise<WriteResult>;
  /** Undefined for a flag that the spec does not name. `seconds`: 60 to 30 days. */
  metrics(about: { flag: string; seconds: number }): Promise<MetricsView | undefined>;
  /** Of one flag or of all, most used first. */
  usage(about: { flag?: string; seconds: number }): Promise<UsageView[]>;
  history(page: { flag: string; limit: number; before?: number }): Promise<PastRollout[]>;
  audit(page: AuditPage): Promise<AuditEntry[]>;
  /** Waits up to `waitMs` for an audit entry after `after` or a revision above `revision`. */
  changes(about: { after: number; revision: number; waitMs: number }): Promise<ChangesView>;
  pullState(): Promise<PullState | undefined>;
  savePullState(state: PullState): Promise<void>;
}

/** What shards ask of the controller (Durable Object `RolloutController`). */
export interface ControllerApi {
  /** Takes over a shard's running totals and judges what is new in them. Throws on garbage. */
  forward(forward: unknown): Promise<ForwardAnswer>;
  /** The text of a hand edit that an isolate has read. */
  offerEdit(offer: EditOffer): Promise<ForwardAnswer>;
  /** The newest snapshot; undefined before the first spec. */
  current(): Promise<Snapshot | undefined>;
}

/** A fresh stub of the environment's one controller. */
export function controllerStub(env: Env): ControllerApi {
  return env.CONTROLLER.getByName("controller") as unknown as ControllerApi;
}
