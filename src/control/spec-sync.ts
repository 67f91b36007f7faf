/**
 * Keeps the spec and KV in agreement: reads the document and the kill key, asks the edit rules what to make of them,
 * puts the document with our revision when they say so. A read that fails changes nothing.
 */
import { hashText } from "../core/hashing/text.ts";
import { EDIT_RECHECK_MS, type EditState, onPut, onRead, type ReadAction } from "../core/rollout/edits.ts";
import { readKv } from "../edge/kv.ts";
import { within } from "./within.ts";

/** A read or a put that takes longer has failed, milliseconds. */
const KV_MS = 10_000;
/** After a failed read or put the next one comes so much later, milliseconds; KV takes one put a second and key. */
const RETRY_MS = 2_000;

/** What the sync works on. Every method that changes something makes it durable before it returns. */
export interface SpecHost {
  /** Undefined while what was decided before is not known: then nothing may be read into it. */
  edits(): EditState | undefined;
  saveEdits(edits: EditState): void;
  /** Takes over a text that a person has put. */
  adoptFromKv(text: string, hash: string): void;
  /** The spec as it was written; undefined when it is not kept. */
  text(): string | undefined;
  /** The spec's text is known again: it is the one that was decided on. */
  keepText(text: string): void;
  revision(): number;
  sawKill(kill: string, at: number): void;
}

export class SpecSync {
  readonly #kv: KVNamespace;
  readonly #host: SpecHost;
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kv: KVNamespace, host: SpecHost) {
    this.#kv = kv;
    this.#host = host;
  }

  /** Reads KV from now on and acts on it, after a read that is under way. Never fails. */
  read(): Promise<void> {
    if (!this.#reading) return this.#begin();
    // What changed since the present read began is not in it.
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  /** Is a read or a put of ours still to come? */
  get pending(): boolean {
    return this.#timer !== undefined || this.#reading !== undefined;
  }

  #begin(): Promise<void> {
    this.#reading = this.#read()
      .catch((error: unknown) => {
        console.warn(JSON.stringify({ event: "kv-failed", message: String(error) }));
        this.#again(RETRY_MS);
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { flags: text, revision, kill } = await within(readKv(this.#kv), KV_MS, "KV read");
    const now = Date.now();
    this.#host.sawKill(kill ?? "", now);
    const edits = this.#host.edits();
    if (!edits) return;
    if (text === undefined) {
      // Deleted by a person, or not there yet: the last spec goes on. One from the API belongs there.
      if (edits.unput) await this.#put();
      return;
    }
    const hash = hashText(text);
    if (hash === edits.current && this.#host.text() === undefined) this.#host.keepText(text);
    const action = this.#judge(hash, revision, now);
    if (action === "adopt") {
      this.#host.adoptFromKv(text, hash);
      // It was read here: nothing that this place reads later can be older.
      this.#judge(hash, revision, now);
    } else if (action === "put") await this.#put();
    // Until the spec has been seen here, another text may be an old reading, and an edit would have to wait.
    if (!this.#host.edits()?.seen) this.#again(EDIT_RECHECK_MS);
  }

  #judge(hash: string, revision: number | undefined, now: number): ReadAction {
    const edits = this.#host.edits();
    if (!edits) return "none";
    const { state, action } = onRead(edits, { hash, revision }, now);
    if (state !== edits) this.#host.saveEdits(state);
    return action;
  }

  /** Puts the spec with our revision. Always right after a read, so that a person's edit is not written over. */
  async #put(): Promise<void> {
    const text = this.#host.text();
    if (text === undefined) return;
    const revision = this.#host.revision();
    await within(this.#kv.put("flags", text, { metadata: { revision } }), KV_MS, "KV put");
    const edits = this.#host.edits();
    if (edits) this.#host.saveEdits(onPut(edits, { hash: hashText(text), revision }, Date.now()));
  }

  #again(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.read();
    }, ms);
  }
}
