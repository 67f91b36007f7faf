import fc from "fast-check";
import { expect, test } from "vitest";
import { addPoint, loadTrace, MAX_POINTS, newTrace, saveTrace } from "../../../src/core/analysis/trace.ts";
import { NOW } from "./counts.ts";

const point = (at: number, evidence: number) => ({ at, evidence, errors: evidence, latency: 1, share: 5000 });

test("a trace keeps every tick of the first minutes", () => {
  const trace = newTrace();
  for (let i = 0; i < 100; i++) addPoint(trace, point(NOW + i * 2000, i));
  expect(trace.points.map(({ evidence }) => evidence)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("a trace of a month has at most 240 points, in order, from its beginning to its end", () => {
  const trace = newTrace();
  const ticks = (30 * 86_400) / 2;
  for (let i = 0; i < ticks; i++) addPoint(trace, point(NOW + i * 2000, 1));
  expect(trace.points.length).toBeGreaterThan(MAX_POINTS / 4);
  expect(trace.points.length).toBeLessThanOrEqual(MAX_POINTS);
  const times = trace.points.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)).toBe(NOW + (ticks - 1) * 2000);
  expect(times[0]! - NOW).toBeLessThan(trace.step);
});

test("a trace never loses its peak, and survives JSON at any point", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6), { minLength: 1, maxLength: 1500 }), (evidences) => {
      let trace = newTrace();
      evidences.forEach((evidence, i) => {
        addPoint(trace, point(NOW + i * 2000, evidence));
        if (i % 100 !== 0) return;
        const again = loadTrace(JSON.parse(JSON.stringify(saveTrace(trace))));
        expect(again).toEqual(trace);
        trace = again;
      });
      const shown = trace.points.map(({ evidence }) => evidence);
      expect(Math.max(...shown)).toBeCloseTo(Number(Math.max(...evidences).toPrecision(4)));
    }),
    { numRuns: 30 },
  );
});

test("a trace shows numbers that JSON and a chart can hold", () => {
  const trace = newTrace();
  addPoint(trace, { ...point(NOW, Number.POSITIVE_INFINITY), latency: 1.23456789 });
  expect(JSON.parse(JSON.stringify(trace.points[0]))).toMatchObject({ evidence: 1e9, latency: 1.235 });
});
