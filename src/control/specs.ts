/** The flags as people wrote them and as they are served, and the etags by which a writer says what they have seen. */
import type { DocumentView, FlagListView, FlagSpecView } from "../core/api/views.ts";
import { isFaultOf } from "../core/flag/new-faults.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { Decisions } from "./decisions.ts";
import { hashOf } from "./flag-marks.ts";
import { haltOf, servedShare } from "./rollout.ts";
import { switchedOff } from "./switched-off.ts";
import { type WrittenFlags, writtenFlags } from "./written.ts";

/** Revision of what has not changed since revisions are kept. */
const UNKNOWN = 0;

type Effective = Pick<FlagSpecView, "effective" | "why">;

export class Specs {
  readonly #decisions: Decisions;
  /** What stands in the text of the present spec, and the hash of that text. */
  #written: { hash: string; flags: WrittenFlags | undefined } | undefined;

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  /** All flags, in the order of the document. */
  list(): FlagListView {
    const { revision, enabled, faults } = this.#decisions.rollout;
    const flags = [...this.#names()].map((name) => this.#view(name));
    return { revision, etag: this.documentEtag(), enabled, faults, flags };
  }

  /** Undefined for a flag that the document does not name. */
  of(name: string): FlagSpecView | undefined {
    return this.has(name) ? this.#view(name) : undefined;
  }

  has(name: string): boolean {
    return this.#decisions.rollout.flags.has(name) || this.written()?.has(name) === true;
  }

  /** The document as it was written; undefined where its text is not kept. */
  document(): DocumentView | undefined {
    const text = this.#decisions.store.text();
    const { revision } = this.#decisions.rollout;
    return text === undefined ? undefined : { revision, etag: this.documentEtag(), text };
  }

  /** Changes with every adoption, and with nothing else. */
  documentEtag(): string {
    const { revisions, rollout } = this.#decisions;
    return etag(revisions.newest?.revision ?? UNKNOWN, rollout.specHash);
  }

  /** Changes with what is written of this flag: by the revision, so that A after B is not the A of before. */
  etagOf(name: string): string {
    const mark = this.#decisions.marks.of(name);
    if (mark) return etag(mark.revision, mark.hash);
    const { flags } = this.#decisions.rollout;
    return etag(UNKNOWN, hashOf(this.written()?.get(name) ?? flags.get(name) ?? {}));
  }

  /** What stands in the text; undefined where it is not kept, or is no document. */
  written(): WrittenFlags | undefined {
    const { specHash } = this.#decisions.rollout;
    if (this.#written?.hash === specHash) return this.#written.flags;
    const text = this.#decisions.store.text();
    // Not yet known again after a loss: it may be by the next time.
    if (text === undefined) return undefined;
    this.#written = { hash: specHash, flags: writtenFlags(text) };
    return this.#written.flags;
  }

  #names(): Set<string> {
    return new Set([...(this.written()?.keys() ?? []), ...this.#decisions.rollout.flags.keys()]);
  }

  #view(name: string): FlagSpecView {
    const { rollout, marks } = this.#decisions;
    const mark = marks.of(name);
    const flag = rollout.flags.get(name) ?? null;
    const { effective, why } = this.#effective(name);
    const isOff = effective === "kill" || effective === "off";
    return {
      name,
      written: this.written()?.get(name) ?? null,
      flag,
      faults: rollout.faults.filter((fault) => isFaultOf(fault, name)),
      etag: this.etagOf(name),
      revision: mark?.revision ?? null,
      updatedAt: mark?.at ?? null,
      createdAt: mark?.createdAt ?? null,
      served: isOff ? 0 : servedShare(rollout, name) / SHARE_PER_PERCENT,
      effective,
      why,
    };
  }

  #effective(name: string): Effective {
    const { rollout } = this.#decisions;
    const flag = rollout.flags.get(name);
    if (!flag) return { effective: "off", why: "It has faults and never was in good form: it is not served" };
    const off = switchedOff(rollout, name);
    const halt = haltOf(rollout, name, flag.release);
    if (off) return { effective: off.isKill ? "kill" : "off", why: off.why };
    if (halt) return { effective: halt.action === "kill" ? "kill" : "off", why: halt.reason };
    return { effective: flag.state, why: null };
  }
}

function etag(revision: number, hash: string): string {
  return `"${revision}-${hash}"`;
}
