/** Numbers as a person reads them in a verdict. */

/** `12.5 %` of a ratio: two decimals at most. */
export function percent(ratio: number): string {
  return `${trim((ratio * 100).toFixed(2))} %`;
}

/** `350 ms`, or `12.5 s` from ten seconds on. */
export function milliseconds(ms: number): string {
  return ms < 10_000 ? `${trim(ms.toFixed(ms < 10 ? 1 : 0))} ms` : `${trim((ms / 1000).toFixed(1))} s`;
}

/** `1 request`, `1,204 requests`. */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** `60 s`, `5 min`, `1 h`, `7 days`: two minutes and less in seconds. */
export function seconds(n: number): string {
  if (n <= 120) return `${n} s`;
  if (n % 86_400 === 0) return count(n / 86_400, "day");
  if (n % 3600 === 0) return `${n / 3600} h`;
  return n % 60 === 0 ? `${n / 60} min` : `${grouped(n)} s`;
}

/** Evidence: `0.4`, `37`, `1,240`, `more than 1,000,000`. */
export function weight(evidence: number): string {
  if (evidence > MOST_SHOWN) return `more than ${grouped(MOST_SHOWN)}`;
  return evidence < 10 ? trim(evidence.toFixed(1)) : grouped(Math.floor(evidence));
}

/** Beyond, the figure says nothing any more. */
const MOST_SHOWN = 1_000_000;

function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

function trim(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}
