/** Keeps a shard from asking every isolate for the text of the same hand edit. */

/** The same text is asked for once in so long, milliseconds: it may have up to 1 MB, and an edit should not wait. */
const ASK_EVERY_MS = 3_000;

export class EditAsker {
  readonly #asked = new Map<string, number>();

  /** Shall the isolate be asked for the text of this hash now? If so, the next one is not. */
  mayAsk(hash: string, now: number): boolean {
    for (const [known, at] of this.#asked) if (now - at >= ASK_EVERY_MS) this.#asked.delete(known);
    if (this.#asked.has(hash)) return false;
    this.#asked.set(hash, now);
    return true;
  }

  /** The text did not arrive: the next isolate may be asked. */
  forget(hash: string): void {
    this.#asked.delete(hash);
  }
}
