/**
 * A traffic trace: what came in each minute, what of it fails on blue and on green, and how long blue takes. Pure, so
 * that the simulator and the tests of the real object read the same one.
 */

/** One minute of all the traffic of a route. */
export interface Minute {
  requests: number;
  /** Of these requests so many fail if blue answers all of them. */
  blueFailures: number;
  /** The same if green answers all of them. */
  greenFailures: number;
  /** Median until headers, milliseconds, of either side. */
  ms: number;
}

/** Minutes in order; undefined where nothing was reported. */
export type Trace = readonly (Minute | undefined)[];

/** A minute of which no isolate reported anything. */
const NOTHING = "-";

/** Reads a trace: a line `requests,blue failures,green failures,ms` for each minute, `-` for none; `#` begins a remark. */
export function readTrace(text: string): Trace {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    if (line === NOTHING) return undefined;
    const [requests, blueFailures, greenFailures, ms] = line.split(",").map(Number);
    if (ms === undefined || Number.isNaN(ms))
      throw new TypeError(`trace: expected four numbers, not ${line}`);
    return { requests: requests!, blueFailures: blueFailures!, greenFailures: greenFailures!, ms };
  });
}

/** Inverse of `readTrace`, with remarks before it. */
export function writeTrace(trace: Trace, remarks: readonly string[]): string {
  const lines = trace.map((minute) => {
    if (!minute) return NOTHING;
    const { requests, blueFailures, greenFailures, ms } = minute;
    return [requests, blueFailures, greenFailures, ms].join(",");
  });
  return [...remarks.map((remark) => `# ${remark}`), ...lines, ""].join("\n");
}

/** The trace with a green that fails so much more often from this minute on (a ratio). Only green's failures change. */
export function withBadGreen(trace: Trace, from: number, rate: number): Trace {
  return trace.map((minute, i) => {
    if (!minute || i < from) return minute;
    const failures = minute.greenFailures + Math.round(minute.requests * rate);
    return { ...minute, greenFailures: Math.min(minute.requests, failures) };
  });
}

/** The trace with one in so many requests and failures. What is rounded off comes later, so that sums stay. */
export function withLess(trace: Trace, oneIn: number): Trace {
  const left = { requests: 0, blueFailures: 0, greenFailures: 0 };
  const some = (of: keyof typeof left, count: number) => {
    const all = left[of] + count;
    left[of] = all % oneIn;
    return Math.floor(all / oneIn);
  };
  return trace.map((minute) => {
    if (!minute) return undefined;
    const requests = some("requests", minute.requests);
    const blueFailures = Math.min(requests, some("blueFailures", minute.blueFailures));
    const greenFailures = Math.min(requests, some("greenFailures", minute.greenFailures));
    return { requests, blueFailures, greenFailures, ms: minute.ms };
  });
}

/** The trace without telemetry in these minutes. */
export function withGap(trace: Trace, from: number, to: number): Trace {
  return trace.map((minute, i) => (i >= from && i < to ? undefined : minute));
}
