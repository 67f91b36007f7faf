/**
 * Evidence over time, for people: points at even steps, bounded however long a rollout takes. When it is full, of two
 * neighbours the one with more evidence stays and the step doubles, so a peak is never lost.
 */

/** How a comparison stood at one moment. */
export interface TracePoint {
  /** Milliseconds since the epoch. */
  at: number;
  /** Evidence against green in all, by errors, by latency; 1 at the start. */
  evidence: number;
  errors: number;
  latency: number;
  /** Share of green, in thousandths of a percent. */
  share: number;
}

/** Points kept: more than a chart has room for. */
export const MAX_POINTS = 240;
/** First step, milliseconds: a tick. */
const FIRST_STEP_MS = 2_000;
/** Digits of an evidence that a chart can show. */
const DIGITS = 4;
/** Beyond this evidence differs for nobody; JSON has no infinity. */
const MOST = 1e9;

/** A trace. */
export interface Trace {
  /** Milliseconds between two points, at least. */
  step: number;
  points: TracePoint[];
}

/** A trace in JSON: of each point the milliseconds since the first, then the numbers in their order. */
export interface SavedTrace {
  step: number;
  from: number;
  points: [passed: number, evidence: number, errors: number, latency: number, share: number][];
}

export function newTrace(): Trace {
  return { step: FIRST_STEP_MS, points: [] };
}

/** Adds a point; one that comes within a step of the last takes its place if it shows more evidence. */
export function addPoint(trace: Trace, point: TracePoint): void {
  const { points } = trace;
  const { at, share, evidence, errors, latency } = point;
  const next = { at, evidence: shown(evidence), errors: shown(errors), latency: shown(latency), share };
  const last = points.at(-1);
  if (last && Math.floor(at / trace.step) === Math.floor(last.at / trace.step)) {
    points[points.length - 1] = higher(last, next);
    return;
  }
  points.push(next);
  while (trace.points.length > MAX_POINTS) halve(trace);
}

/** The trace as JSON can hold it: some 8 kB when it is full. */
export function saveTrace({ step, points }: Trace): SavedTrace {
  const from = points[0]?.at ?? 0;
  const numbers = points.map(({ at, evidence, errors, latency, share }): SavedTrace["points"][number] => [
    at - from,
    evidence,
    errors,
    latency,
    share,
  ]);
  return { step, from, points: numbers };
}

/** Inverse of `saveTrace`. */
export function loadTrace({ step, from, points }: SavedTrace): Trace {
  const named = points.map(([passed, evidence, errors, latency, share]) => ({
    at: from + passed,
    evidence,
    errors,
    latency,
    share,
  }));
  return { step, points: named };
}

function halve(trace: Trace): void {
  trace.step *= 2;
  const merged: TracePoint[] = [];
  for (const point of trace.points) {
    const last = merged.at(-1);
    if (last && Math.floor(point.at / trace.step) === Math.floor(last.at / trace.step)) {
      merged[merged.length - 1] = higher(last, point);
    } else merged.push(point);
  }
  trace.points = merged;
}

/** Of two points of one step the one that says more; of equal ones the later. */
function higher(a: TracePoint, b: TracePoint): TracePoint {
  return a.evidence > b.evidence ? a : b;
}

function shown(evidence: number): number {
  return Number(Math.min(evidence, MOST).toPrecision(DIGITS));
}
