/**
 * Exchanges chosen candidates for others so that one more demand is met, and those before it stay as they are: only
 * candidates are exchanged that are alike in all that was demanded before.
 */
import type { Wanted } from "./apportion.ts";
import { type Candidate, type Demand, valueIn } from "./demand.ts";

/** Candidates that are alike in the demands before, by their value in this one. */
type Cell = Map<string | undefined, { chosen: Candidate[]; free: Candidate[] }>;

/** An exchange: in this cell, one with the value `from` for one with the value `to`. */
interface Exchange {
  cell: Cell;
  from: string | undefined;
  to: string | undefined;
}

/** The chosen after the exchanges, best rank first. */
export function even(
  candidates: readonly Candidate[],
  chosen: readonly Candidate[],
  demand: Demand,
  before: readonly Demand[],
): Candidate[] {
  const cells = cellsOf(candidates, new Set(chosen), demand, before);
  const have = new Map<string | undefined, number>();
  for (const candidate of chosen) count(have, valueIn(demand, candidate), 1);
  const limits = new Map<string | undefined, Wanted>([...demand.wanted, [undefined, demand.others]]);
  const is = (test: (n: number, wanted: Wanted) => boolean) => (value: string | undefined) =>
    test(have.get(value) ?? 0, limits.get(value)!);
  const values = [...limits.keys()];
  for (;;) {
    const way =
      wayFrom(
        values.filter(is((n, { most }) => n > most)),
        is((n, { most }) => n < most),
        cells,
      ) ??
      wayFrom(
        values.filter(is((n, { least }) => n > least)),
        is((n, { least }) => n < least),
        cells,
      );
    if (way === undefined) break;
    for (const exchange of way) swap(exchange);
    count(have, way[0]!.from, -1);
    count(have, way.at(-1)!.to, 1);
  }
  return cells
    .flatMap((cell) => [...cell.values()].flatMap((sorts) => sorts.chosen))
    .sort((a, b) => a.rank - b.rank);
}

function cellsOf(
  candidates: readonly Candidate[],
  chosen: ReadonlySet<Candidate>,
  demand: Demand,
  before: readonly Demand[],
): Cell[] {
  const cells = new Map<string, Cell>();
  for (const candidate of candidates) {
    const key = JSON.stringify(before.map((d) => valueIn(d, candidate) ?? null));
    const cell: Cell = cells.get(key) ?? new Map();
    cells.set(key, cell);
    const value = valueIn(demand, candidate);
    const sorts = cell.get(value) ?? { chosen: [], free: [] };
    cell.set(value, sorts);
    (chosen.has(candidate) ? sorts.chosen : sorts.free).push(candidate);
  }
  return [...cells.values()];
}

/** The shortest way of exchanges from one of the values to one that passes the test. */
function wayFrom(
  starts: readonly (string | undefined)[],
  isEnd: (value: string | undefined) => boolean,
  cells: readonly Cell[],
): Exchange[] | undefined {
  const reached = new Map<string | undefined, Exchange | undefined>(
    starts.map((value) => [value, undefined]),
  );
  for (const from of reached.keys()) {
    for (const cell of cells) {
      if (!cell.get(from)?.chosen.length) continue;
      for (const [to, { free }] of cell) {
        if (free.length === 0 || reached.has(to)) continue;
        reached.set(to, { cell, from, to });
        if (isEnd(to)) return wayTo(to, reached);
      }
    }
  }
  return undefined;
}

function wayTo(
  end: string | undefined,
  reached: ReadonlyMap<string | undefined, Exchange | undefined>,
): Exchange[] {
  const way: Exchange[] = [];
  for (let step = reached.get(end); step !== undefined; step = reached.get(step.from)) way.unshift(step);
  return way;
}

/** The chosen with the worst rank goes, the free one with the best comes. */
function swap({ cell, from, to }: Exchange): void {
  const [out, into] = [cell.get(from)!, cell.get(to)!];
  const gone = out.chosen.pop()!;
  const come = into.free.shift()!;
  out.free.unshift(gone);
  into.chosen.push(come);
}

function count(have: Map<string | undefined, number>, value: string | undefined, by: number): void {
  have.set(value, (have.get(value) ?? 0) + by);
}
