/** Shares of a whole in whole numbers: by percentages, and evenly. */
import { FULL_SHARE } from "./percentage.ts";

/** How many of a value are wanted: at least and at most. */
export interface Wanted {
  least: number;
  most: number;
}

/**
 * So many of `total` for each share (thousandths of a percent), by largest remainder: each gets the whole part of what
 * is due to it, and what is left goes one by one to those that lost most by that; between equals to the first. Shares
 * of less than 100 % in all leave the rest to nobody.
 */
export function apportion(total: number, shares: readonly number[]): number[] {
  const rest = FULL_SHARE - shares.reduce((sum, share) => sum + share, 0);
  const due = [...shares, rest].map((share) => total * share);
  const parts = due.map((d) => Math.floor(d / FULL_SHARE));
  const left = total - parts.reduce((sum, part) => sum + part, 0);
  const byLoss = due
    .map((d, i) => ({ i, loss: d % FULL_SHARE }))
    .sort((a, b) => b.loss - a.loss || a.i - b.i);
  for (const { i } of byLoss.slice(0, left)) parts[i]!++;
  return parts.slice(0, -1);
}

/** So many of `total` for each of several places, as evenly as what each can take allows. */
export function spreadEvenly(total: number, room: readonly number[]): Wanted[] {
  const filled = (level: number) => room.reduce((sum, r) => sum + Math.min(r, level), 0);
  const top = Math.max(0, ...room);
  let level = 0;
  while (level < top && filled(level + 1) <= total) level++;
  return room.map((r) => ({ least: Math.min(r, level), most: Math.min(r, level + 1) }));
}
