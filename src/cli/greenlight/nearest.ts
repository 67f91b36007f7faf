/** The word that was probably meant. */

/** Letters that may be wrong in a word. */
const MAX_WRONG = 2;

/** The nearest of some words by edit distance; undefined where none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const best = words
    .map((candidate) => ({ candidate, wrong: distance(word, candidate) }))
    .sort((a, b) => a.wrong - b.wrong)[0];
  return best && best.wrong <= MAX_WRONG ? best.candidate : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, swap));
    }
    row = next;
  }
  return row[b.length]!;
}
