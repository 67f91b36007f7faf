/**
 * One list of a state's numbers for both ways: a component names its fields once, and they are written or read. Numbers
 * are kept as they are, to the last bit, so that a restored state goes on as if nothing had happened.
 */
export interface StateIo {
  /** Writes the number and returns it, or returns the one that was written. */
  number(value: number): number;
  /** Writes the numbers, or fills the array with those that were written. */
  array(values: Float64Array): void;
}

/** Collects a state. */
export class StateWriter implements StateIo {
  readonly #numbers: number[] = [];

  number(value: number): number {
    this.#numbers.push(value);
    return value;
  }

  array(values: Float64Array): void {
    for (const value of values) this.#numbers.push(value);
  }

  /** Everything written, as base64 of runs: a count of zeros, a count of others, those as 8 bytes each. */
  text(): string {
    return encodeBase64(pack(this.#numbers));
  }
}

/** Gives a state back in the order in which it was written. Throws where the text is not a whole state. */
export class StateReader implements StateIo {
  readonly #numbers: number[];
  #next = 0;

  constructor(text: string) {
    this.#numbers = unpack(decodeBase64(text));
  }

  number(): number {
    const value = this.#numbers[this.#next++];
    if (value === undefined) throw new RangeError("state: too short");
    return value;
  }

  array(values: Float64Array): void {
    for (let i = 0; i < values.length; i++) values[i] = this.number();
  }

  /** Throws unless all was read. */
  end(): void {
    if (this.#next !== this.#numbers.length) throw new RangeError("state: too long");
  }
}

/** Runs are counted in one byte. */
const LONGEST_RUN = 255;
const BYTES = 8;

function pack(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * (BYTES + 2) + 2);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let i = 0; i < numbers.length; ) {
    const zeros = runOf(numbers, i, true);
    const others = runOf(numbers, i + zeros, false);
    bytes[at++] = zeros;
    bytes[at++] = others;
    for (let k = i + zeros; k < i + zeros + others; k++) {
      view.setFloat64(at, numbers[k]!);
      at += BYTES;
    }
    i += zeros + others;
  }
  return bytes.subarray(0, at);
}

function runOf(numbers: readonly number[], from: number, zero: boolean): number {
  let n = 0;
  while (n < LONGEST_RUN && from + n < numbers.length && Object.is(numbers[from + n], 0) === zero) n++;
  return n;
}

function unpack(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const zeros = view.getUint8(at++);
    const others = view.getUint8(at++);
    for (let i = 0; i < zeros; i++) numbers.push(0);
    for (let i = 0; i < others; i++) {
      numbers.push(view.getFloat64(at));
      at += BYTES;
    }
  }
  return numbers;
}

function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
