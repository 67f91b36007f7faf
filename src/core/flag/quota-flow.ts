/**
 * Chooses so many candidates that two demands are met together, where that is possible, with the best ranks: a flow of
 * least cost from the values of the one to the values of the other, through the candidates that have both.
 */
import { type Candidate, type Demand, valueIn } from "./demand.ts";

/** One value of a demand, or all others together. */
interface Side {
  want: number;
  have: number;
}

/** Candidates with the same two values, best rank first; the first `taken` are chosen. */
interface Cell {
  a: number;
  b: number;
  members: Candidate[];
  taken: number;
}

/** The chosen, best rank first. A demand that is left out is always met. `count` is at most the number of candidates. */
export function fill(
  candidates: readonly Candidate[],
  count: number,
  first?: Demand,
  second?: Demand,
): Candidate[] {
  const [indexA, sidesA] = sidesOf(first, count);
  const [indexB, sidesB] = sidesOf(second, count);
  const cells = new Map<number, Cell>();
  for (const candidate of candidates) {
    const [a, b] = [indexA(candidate), indexB(candidate)];
    const key = a * sidesB.length + b;
    const cell = cells.get(key);
    if (cell) cell.members.push(candidate);
    else cells.set(key, { a, b, members: [candidate], taken: 0 });
  }
  // One beyond what is wanted costs more than all ranks together.
  const beyond = (candidates.length + 1) * (count + 1);
  const flow = new Flow(sidesA, sidesB, [...cells.values()], beyond);
  for (let i = 0; i < count; i++) flow.takeOne();
  return [...cells.values()]
    .flatMap(({ members, taken }) => members.slice(0, taken))
    .sort((x, y) => x.rank - y.rank);
}

function sidesOf(demand: Demand | undefined, count: number): [(candidate: Candidate) => number, Side[]] {
  if (demand === undefined) return [() => 0, [{ want: count, have: 0 }]];
  const index = new Map([...demand.wanted.keys()].map((value, i) => [value, i]));
  const sides = [...demand.wanted.values(), demand.others].map(({ least }) => ({ want: least, have: 0 }));
  return [(candidate) => index.get(valueIn(demand, candidate) ?? "") ?? index.size, sides];
}

/** A step of a way: over this cell, forward (one more is chosen in it) or back (one less). */
interface Step {
  cell: Cell;
  forward: boolean;
  /** Node that it comes from. */
  from: number;
}

class Flow {
  readonly #a: Side[];
  readonly #b: Side[];
  readonly #cells: Cell[];
  readonly #beyond: number;

  constructor(a: Side[], b: Side[], cells: Cell[], beyond: number) {
    this.#a = a;
    this.#b = b;
    this.#cells = cells;
    this.#beyond = beyond;
  }

  /**
   * Chooses one more by the cheapest way, which may exchange some that were chosen before. Nodes are the sides of a,
   * then those of b.
   */
  takeOne(): void {
    const n = this.#a.length;
    const cost = [
      ...this.#a.map((side) => this.#costOf(side)),
      ...this.#b.map(() => Number.POSITIVE_INFINITY),
    ];
    const steps: (Step | undefined)[] = cost.map(() => undefined);
    for (let changed = true; changed; ) {
      changed = false;
      for (const cell of this.#cells) {
        const [from, to] = [cell.a, n + cell.b];
        const next = cell.members[cell.taken];
        if (next !== undefined && cost[from]! + next.rank < cost[to]!) {
          cost[to] = cost[from]! + next.rank;
          steps[to] = { cell, forward: true, from };
          changed = true;
        }
        const last = cell.taken > 0 ? cell.members[cell.taken - 1] : undefined;
        if (last !== undefined && cost[to]! - last.rank < cost[from]!) {
          cost[from] = cost[to]! - last.rank;
          steps[from] = { cell, forward: false, from: to };
          changed = true;
        }
      }
    }
    let end = 0;
    let least = Number.POSITIVE_INFINITY;
    this.#b.forEach((side, i) => {
      const whole = cost[n + i]! + this.#costOf(side);
      if (whole < least) [end, least] = [n + i, whole];
    });
    this.#b[end - n]!.have++;
    let node = end;
    for (let step = steps[node]; step !== undefined; step = steps[node]) {
      step.cell.taken += step.forward ? 1 : -1;
      node = step.from;
    }
    this.#a[node]!.have++;
  }

  #costOf({ have, want }: Side): number {
    return have < want ? 0 : this.#beyond;
  }
}
