/**
 * One request on its way to an origin: opened before it is sent, settled by whatever comes first, the headers, a
 * failure, the timeout or the visitor's leaving. While it is open it shows as a request in flight.
 */
import type { NoAnswer } from "./failure.ts";
import type { Row } from "./row.ts";

/** What settles an attempt for good. */
export type Answer = Response | NoAnswer;

/**
 * What ends a waiting without an answer. `look-after-yourself` comes from the keeper, within another request: the
 * promise carries it over into the attempt's own. `time-is-up` comes from the attempt's own timer.
 */
export type Word = "look-after-yourself" | "time-is-up";

export class Attempt {
  /** Where it is counted; undefined for a rescue, which enters no sum of blue. */
  readonly row: Row | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** 32-bit hash that tells visitors apart. */
  readonly visitor: number;
  /** Bucket of the visitor, 0..99,999. */
  readonly bucket: number;
  /** Counted already? */
  closed = false;
  /** When the keeper told it to look after itself, milliseconds since the epoch; 0 for not yet. */
  toldAt = 0;
  /** Does it look after itself? One that was told and does not has died with its visitor. */
  awake = false;
  /** Is the visitor's body still on its way? */
  isUploading = false;
  /** When the body had been sent, milliseconds since the epoch: from then on the origin is waited for. */
  uploadedAt = 0;
  /** When its own timer ends it, while it is awake, milliseconds since the epoch. */
  endsAt = Number.POSITIVE_INFINITY;
  /** What came first, as soon as something has. */
  answer: Answer | undefined;
  /** Settles with the answer, or before that with a word from the clock or the keeper. */
  promise: Promise<Answer | Word>;
  #resolve!: (value: Answer | Word) => void;

  constructor(row: Row | undefined, startedAt: number, visitor: number, bucket: number) {
    this.row = row;
    this.startedAt = startedAt;
    this.visitor = visitor;
    this.bucket = bucket;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Settles it for good. What comes later is thrown away. */
  settle(answer: Answer): void {
    if (this.answer === undefined) {
      this.answer = answer;
      this.#resolve(answer);
    } else if (typeof answer !== "string") {
      discard(answer);
    }
  }

  /** Ends the present waiting without settling anything. */
  interrupt(word: Word): void {
    this.#resolve(word);
  }

  /** A fresh promise after a word; it settles at once if the answer came in between. */
  goOn(): void {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (this.answer !== undefined) this.#resolve(this.answer);
  }

  /** Forgets its answer, to be sent again. */
  restart(): void {
    this.answer = undefined;
    this.toldAt = 0;
    this.goOn();
  }
}

/** Lets go of a response that nobody will read. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}
