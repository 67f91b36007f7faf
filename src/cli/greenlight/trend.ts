/** How a number went over time: a sparkline and an arrow. */

const LEVELS = "▁▂▃▄▅▆▇█";
/** Points that a sparkline shows. */
const POINTS = 24;
/** A change below this part of what it was is none. */
const SAME = 0.05;

/** The last points as a line of blocks; a gap where nothing was measured. */
export function sparkline(values: readonly (number | null)[]): string {
  const shown = values.slice(-POINTS);
  const known = shown.filter((value): value is number => value !== null);
  const most = Math.max(...known);
  const least = Math.min(...known, 0);
  return shown
    .map((value) => {
      if (value === null) return " ";
      const height = most === least ? 0 : (value - least) / (most - least);
      return LEVELS[Math.round(height * (LEVELS.length - 1))];
    })
    .join("");
}

/** `↑`, `↓` or `→`: the mean of the newer half against that of the older; empty while there are too few. */
export function arrow(values: readonly (number | null)[]): string {
  const known = values.filter((value): value is number => value !== null).slice(-POINTS);
  if (known.length < 2) return "";
  const half = Math.floor(known.length / 2);
  const [before, after] = [mean(known.slice(0, half)), mean(known.slice(-half))];
  const change = after - before;
  if (Math.abs(change) <= SAME * Math.max(Math.abs(before), Number.EPSILON)) return "→";
  return change > 0 ? "↑" : "↓";
}

const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
