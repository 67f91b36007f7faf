/**
 * What isolates, shards and the controller say to each other. Every form carries a version; the last two are
 * understood (`decodeBatch`, `decodeForward` in this folder), because Workers and objects of two releases talk to
 * each other for minutes after a deploy.
 */
import type { RowKey, Tally } from "../analysis/tally.ts";
import type { Snapshot } from "../rollout/snapshot.ts";

/** Current version of all wire forms. Version 1 had no `slices`, no `run` and no in-flight gauge. */
export const WIRE_VERSION = 2;

/** Width of a tick: requests are grouped by the 2 s in which they started, on the isolate's clock. */
export const TICK_MS = 2000;

/** The tally of one row in one tick. Zero fields may be left out on the wire. */
export interface Cell {
  row: RowKey;
  /** floor(start / TICK_MS). */
  tick: number;
  tally: Tally;
}

/** Requests of one row that wait for headers right now. */
export interface InFlight {
  row: RowKey;
  count: number;
  /** Age of the oldest, milliseconds. */
  oldestMs: number;
}

/** What an isolate has seen in KV under `flags` that is a hand edit (no metadata), by hash. */
export interface SeenEdit {
  hash: string;
  /** When the isolate first saw it, milliseconds since the epoch, isolate's clock. */
  at: number;
}

/** Isolate → shard. One in flight per isolate, in order, tried again unchanged. */
export interface Batch {
  v: typeof WIRE_VERSION;
  isolate: string;
  /** 1, 2, 3 … per isolate. A number at or below the last one counted is acknowledged and not counted again. */
  seq: number;
  cells: Cell[];
  inFlight: InFlight[];
  /** Revision of the snapshot that the isolate holds; 0 for none. */
  revision: number;
  edit?: SeenEdit;
  /** Batches that this isolate gave up on since it started (running total). */
  lost: number;
  /**
   * Ask for status only, count nothing: no `seq` is used up. A cold isolate and one outside the sample do this.
   */
  statusOnly?: boolean;
}

/** Shard → isolate. */
export interface FlushAnswer {
  v: typeof WIRE_VERSION;
  /** Last `seq` counted of that isolate. */
  ack: number;
  /** Revision that the shard holds; 0 for none. */
  revision: number;
  /** There when the isolate's revision is behind. */
  snapshot?: Snapshot;
  /** Hash of the hand edit whose text this isolate shall hand up with `offerEdit`. */
  wantEdit?: string;
  /** Share of isolates (0..1] that shall send counts; absent means all. */
  sampling?: number;
}

/** Shard → controller. Running totals, and how what is new in them lies in time. */
export interface Forward {
  v: typeof WIRE_VERSION;
  shard: string;
  /** The controller's last known version of this shard, as far as the shard knows. */
  base: number;
  /** Version of `totals`: rises with every batch counted. */
  version: number;
  /** Running totals of every row that has changed since `base`. */
  totals: { row: RowKey; tally: Tally }[];
  /** Cells counted after `base`, up to `version`. */
  cells: Cell[];
  /** In flight, summed over the shard's isolates. */
  inFlight: InFlight[];
  /** Batches lost, summed over isolates (running total). */
  lost: number;
  /** Isolates heard from in the last minute. */
  isolates: number;
  /** Revision of the snapshot that the shard holds; the answer carries one only when the shard is behind. */
  revision?: number;
  /** Share of isolates that send counts, below 1 while the shard samples; the sums are those of that share. */
  sampling?: number;
}

/** Controller → shard, as answer to a forward. */
export interface ForwardAnswer {
  v: typeof WIRE_VERSION;
  /** Version of this shard's totals that the controller has stored. When it is not `version`, send again from it. */
  have: number;
  /** The newest snapshot, unless the shard holds it. Absent while the controller has adopted no spec. */
  snapshot?: Snapshot;
}

/** Any → controller: the text of a hand edit that an isolate has read. */
export interface EditOffer {
  hash: string;
  text: string;
}

/** What an isolate may ask of its shard (Durable Object `CohortCounters`). */
export interface CountersApi {
  /** Counts a batch once, or only answers with the status. `batch` is decoded and checked; throws on garbage. */
  flush(batch: unknown): Promise<FlushAnswer>;
  /** Hands up the text of a hand edit; answers as a flush does, with the snapshot if the edit made a new one. */
  offerEdit(offer: EditOffer, revision: number): Promise<FlushAnswer>;
}

/** What the controller may ask of a shard. */
export interface ShardApi extends CountersApi {
  /** A new snapshot, pushed by the controller. Lower revisions are ignored. */
  publish(snapshot: Snapshot): Promise<void>;
  /** The snapshot that the shard holds: from them a controller that lost its store knows what it had published. */
  held(): Promise<Snapshot | undefined>;
  /** Forwards at once what has not been forwarded, so that a status read afterwards shows it; within a second. */
  settle(): Promise<void>;
}
