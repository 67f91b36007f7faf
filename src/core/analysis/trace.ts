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
const MOST = 1e15;

/** A trace; plain data, as JSON can hold it. */
export interface Trace {
  /** Milliseconds between two points, at least. */
  step: number;
  points: TracePoint[];
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
