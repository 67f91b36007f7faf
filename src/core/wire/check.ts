/** Hand-written checks of foreign values, each of which throws a TypeError that names the place and what is wrong. */

/** Any object that is not an array, by string keys. */
export type Fields = Record<string, unknown>;

/** Throws with the place and what was expected there. */
export function refuse(path: string, expected: string): never {
  throw new TypeError(`${path}: expected ${expected}`);
}

/** An object that is not an array. */
export function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(path, "an object");
  return value as Fields;
}

/** An array of at most `most` items. */
export function listOf(value: unknown, path: string, most: number): unknown[] {
  if (!Array.isArray(value)) refuse(path, "an array");
  if (value.length > most) refuse(path, `at most ${most} items, not ${value.length}`);
  return value;
}

/** A safe integer from 0 to `most`. */
export function countOf(value: unknown, path: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > most) {
    refuse(path, most === Number.MAX_SAFE_INTEGER ? "a nonnegative integer" : `an integer from 0 to ${most}`);
  }
  return value;
}

/** A string of 1 to `most` characters. */
export function textOf(value: unknown, path: string, most: number): string {
  if (typeof value !== "string" || value === "") refuse(path, "a string that is not empty");
  if (value.length > most) refuse(path, `at most ${most} characters`);
  return value;
}

/** An object from integer keys below `size` to positive integers; a copy. */
export function sparseOf(value: unknown, path: string, size: number): Record<number, number> {
  const out: Record<number, number> = {};
  const given = fieldsOf(value, path);
  for (const key in given) {
    const i = Number(key);
    if (!Number.isInteger(i) || i < 0 || i >= size)
      refuse(`${path}.${key.slice(0, 20)}`, `a key below ${size}`);
    const n = countOf(given[key], `${path}.${key}`);
    if (n > 0) out[i] = n;
  }
  return out;
}
