/** Mann-Whitney's rank-sum test by the normal approximation, with the correction for ties. */

/** Normal score of "the values of a are higher than those of b"; 0 when all are equal. */
export function rankSum(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, own: 1 })), ...b.map((value) => ({ value, own: 0 }))];
  all.sort((x, y) => x.value - y.value);
  const n = all.length;
  let ranks = 0;
  let ties = 0;
  for (let from = 0; from < n; ) {
    let to = from;
    let own = 0;
    while (to < n && all[to]!.value === all[from]!.value) own += all[to++]!.own;
    const count = to - from;
    ranks += (own * (from + 1 + to)) / 2;
    ties += count ** 3 - count;
    from = to;
  }
  const u = ranks - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const variance = ((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return variance === 0 ? 0 : (u - mean) / Math.sqrt(variance);
}
