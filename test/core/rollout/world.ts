/**
 * A model of the places that have to agree: one KV with stale readings, a controller, isolates. Pure and stepped by
 * hand, so that a test can put any delay anywhere. The controller here is the glue only; every decision is made by
 * `edits.ts` and `effective.ts`.
 */
import { type ParsedDocument, parseDocument } from "../../../src/core/flag/parse.ts";
import { type Flag, flagSchema } from "../../../src/core/flag/schema.ts";
import {
  type EditState,
  initialEdits,
  onAdopt,
  onOffer,
  onPut,
  onRead,
} from "../../../src/core/rollout/edits.ts";
import {
  askedShare,
  effectiveFlags,
  isPending,
  type KvDocument,
} from "../../../src/core/rollout/effective.ts";
import type { Halt, Snapshot } from "../../../src/core/rollout/snapshot.ts";

export const FLAG = "checkout";

/** A text is named by what it asks for: `10@2.1.0#note`. */
export type Text = string;

export function flagOf(text: Text): Flag {
  const [percentage = "0", release = "r1"] = text.split("#")[0]!.split("@");
  return flagSchema.parse({ state: "canary", percentage: Number(percentage), release });
}

const documents = new Map<Text, ParsedDocument>();

function parsed(text: Text): ParsedDocument {
  const known = documents.get(text);
  if (known) return known;
  const document = parseDocument(JSON.stringify({ flags: { [FLAG]: flagOf(text) } }));
  documents.set(text, document);
  return document;
}

interface Version {
  at: number;
  text: Text;
  revision: number | undefined;
}

export class World {
  now = 1_000_000_000;
  kv: Version[] = [];
  controllerUp = true;
  /** Does KV take the controller's puts? */
  kvTakesPuts = true;
  edits: EditState = initialEdits();
  spec: Text = "";
  revision = 0;
  halts: Halt[] = [];
  snapshot: Snapshot | undefined;
  #readAgainAt = Number.POSITIVE_INFINITY;
  isolates: Isolate[];
  /** How old a reading of the controller's may be, milliseconds. */
  controllerLag = 0;

  constructor(lags: number[]) {
    this.isolates = lags.map((lag) => new Isolate(this, lag));
  }

  /** What a place that lags so many milliseconds behind reads now. */
  read(lag: number): Version | undefined {
    return this.kv.findLast((v) => v.at <= this.now - lag);
  }

  /** A person puts a text: no metadata. */
  put(text: Text): void {
    this.kv.push({ at: this.now, text, revision: undefined });
  }

  /** The API writes, as of the revision that the caller has seen; false is 412. */
  write(text: Text, ifMatch: number): boolean {
    this.controllerReads();
    if (ifMatch !== this.revision) return false;
    this.#adopt(text, "api");
    this.#putSpec();
    return true;
  }

  halt(release: string): void {
    this.halts.push({
      flag: FLAG,
      release,
      action: "rollback",
      at: this.now,
      rule: "",
      reason: "",
      figures: {},
    });
    this.#publish();
  }

  /** Time passes; everybody polls, hands up and listens once a second. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 1000;
      if (this.controllerUp && (this.now >= this.#readAgainAt || this.now % 60_000 < 1000))
        this.controllerReads();
      for (const isolate of this.isolates) isolate.step();
    }
  }

  offer(text: Text): void {
    const action = onOffer(this.edits, { hash: text }, this.now);
    if (action === "adopt") {
      this.#adopt(text, "kv");
      this.controllerReads();
    } else if (action === "read") this.controllerReads();
  }

  controllerReads(): void {
    this.#readAgainAt = Number.POSITIVE_INFINITY;
    const version = this.read(this.controllerLag);
    if (!version) return;
    const { state, action } = onRead(
      this.edits,
      { hash: version.text, revision: version.revision },
      this.now,
    );
    this.edits = state;
    if (action === "adopt") {
      this.#adopt(version.text, "kv");
      this.controllerReads();
    } else if (action === "put") this.#putSpec();
    else if (action === "later") this.#readAgainAt = this.now + 5000;
  }

  #putSpec(): void {
    if (!this.kvTakesPuts) return;
    this.kv.push({ at: this.now, text: this.spec, revision: this.revision });
    this.edits = onPut(this.edits, { hash: this.spec, revision: this.revision }, this.now);
  }

  #adopt(text: Text, source: "kv" | "api"): void {
    this.spec = text;
    this.edits = onAdopt(this.edits, { hash: text, source }, this.now);
    this.#publish();
  }

  #publish(): void {
    const flag = flagOf(this.spec);
    this.revision++;
    this.snapshot = {
      v: 1,
      revision: this.revision,
      at: this.now,
      specHash: this.spec,
      enabled: true,
      flags: { [FLAG]: flag },
      status: { [FLAG]: { generation: this.spec, share: askedShare(flag) } },
      halts: [...this.halts],
      faults: [],
    };
  }
}

export class Isolate {
  readonly world: World;
  lag: number;
  snapshot: Snapshot | undefined;
  document: KvDocument | undefined;
  heardAt: number;
  kill = "";

  constructor(world: World, lag: number) {
    this.world = world;
    this.lag = lag;
    this.heardAt = world.now;
  }

  /** Reads KV, then asks its shard: takes a newer snapshot, hands up an edit that it has not seen published. */
  step(): void {
    const version = this.world.read(this.lag);
    if (version)
      this.document = { hash: version.text, revision: version.revision, parsed: parsed(version.text) };
    if (!this.world.controllerUp) return;
    this.heardAt = this.world.now;
    if (this.document?.revision === undefined && this.document && isPending(this.document, this.snapshot)) {
      this.world.offer(this.document.hash);
    }
    const published = this.world.snapshot;
    if (published && published.revision > (this.snapshot?.revision ?? 0)) this.snapshot = published;
  }

  /** Percentage of green served now. */
  get percentage(): number {
    const { snapshot, document, kill, heardAt } = this;
    const [flag] = effectiveFlags({ snapshot, document, kill, heardAt, now: this.world.now });
    return (flag?.share ?? 0) / 1000;
  }
}
