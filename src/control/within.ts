/** A promise with an end: calls to other objects and to KV may hang, and nothing here may hang with them. */

/** The promise, or a rejection after `ms` milliseconds. The work itself goes on; only the waiting ends. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the promise has settled, at most `ms` milliseconds; its failure is not ours. */
export async function settled(promise: Promise<unknown>, ms: number): Promise<void> {
  await within(promise, ms, "wait").catch(() => undefined);
}
