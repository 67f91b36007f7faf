/** Draws a watched rollout as SVG: above what a dashboard shows, below the evidence with its threshold. */
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Story } from "./stories.ts";
import type { Watched } from "./watch.ts";

/** Pixels. */
const WIDTH = 640;
const MEASURED_HEIGHT = 110;
const EVIDENCE_HEIGHT = 190;

/** Evidence that is shown: below a hundredth nothing is to be seen, above the threshold the rollout is over. */
const LEAST = 0.01;
const MOST = 10_000;
const THRESHOLD = 1000;

/** Readable on white by those who do not tell red from green, too. */
const COLOURS = {
  blue: "#1f77b4",
  green: "#2ca02c",
  evidence: "#222222",
  failures: "#d95f02",
  latency: "#9467bd",
  limit: "#c00000",
  trouble: "#666666",
};

/** Marks beside the lines must not stretch the axis of time down to zero. */
const UNMOVED = { zero: false };

const SIGNALS = [
  ["all evidence", "evidence", COLOURS.evidence],
  ["of failures", "errors", COLOURS.failures],
  ["of latency", "latency", COLOURS.latency],
] as const;

/** The picture as SVG text; the same story always gives the same. */
export async function svgOf(story: Story, watched: Watched): Promise<string> {
  const { spec } = compile(specOf(story, watched));
  const view = new vega.View(vega.parse(spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${thinned(svg)}\n`;
}

/** A tenth of a pixel is more than a picture shows; the rest of the digits is most of the file. */
function thinned(svg: string): string {
  return svg.replace(/ d="[^"]+"/g, (path) =>
    path.replace(/\d+\.\d{2,}/g, (n) => String(Number(Number(n).toFixed(1)))),
  );
}

function specOf(story: Story, watched: Watched): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 10,
    title: { text: story.title, anchor: "start", fontSize: 14, offset: 8 },
    config: {
      font: "sans-serif",
      axis: { gridColor: "#eeeeee", titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 11 },
      legend: {
        title: null,
        orient: "right",
        labelFontSize: 11,
        symbolType: "stroke",
        symbolStrokeWidth: 2.5,
      },
      view: { stroke: "#cccccc" },
    },
    resolve: { scale: { color: "independent" } },
    vconcat: [measuredPanel(story, watched), evidencePanel(story, watched)],
  } as TopLevelSpec;
}

function measuredPanel({ shown, limit, trouble, axis, fromMs, toMs }: Story, { measured }: Watched) {
  const failures = shown.metric === "failures";
  return {
    width: WIDTH,
    height: MEASURED_HEIGHT,
    layer: [
      {
        data: {
          values: measured.map(({ at, side, value }) => ({
            t: at / axis.unitMs,
            side,
            value: rounded(value),
          })),
        },
        mark: { type: "line", strokeWidth: 1.2, clip: true },
        encoding: {
          x: time(fromMs, toMs, axis.unitMs, null),
          y: {
            field: "value",
            type: "quantitative",
            title: failures ? "failures" : "p95, ms",
            axis: { tickCount: 4, ...(failures && { format: "%" }) },
            scale: { zero: true },
          },
          color: {
            field: "side",
            type: "nominal",
            scale: { domain: ["green", "blue"], range: [COLOURS.green, COLOURS.blue] },
          },
        },
      },
      ...(limit
        ? [
            rule("y", limit.at, COLOURS.limit),
            label(fromMs / axis.unitMs, limit.at, limit.text, COLOURS.limit),
          ]
        : []),
      ...(trouble ? [rule("x", trouble.atMs / axis.unitMs, COLOURS.trouble)] : []),
    ],
  };
}

function evidencePanel({ trouble, axis, fromMs, toMs }: Story, { evidence, outcome }: Watched) {
  const values = SIGNALS.flatMap(([signal, field]) =>
    evidence.map((point) => ({ t: point.at / axis.unitMs, signal, value: shownEvidence(point[field]) })),
  );
  const last = evidence.at(-1);
  const halt =
    outcome.halted && last ? [{ t: last.at / axis.unitMs, value: shownEvidence(last.evidence) }] : [];
  return {
    width: WIDTH,
    height: EVIDENCE_HEIGHT,
    layer: [
      rule("y", THRESHOLD, COLOURS.limit),
      label(fromMs / axis.unitMs, THRESHOLD, "halts at 1,000", COLOURS.limit),
      ...(trouble
        ? [
            rule("x", trouble.atMs / axis.unitMs, COLOURS.trouble),
            label(trouble.atMs / axis.unitMs, LEAST, trouble.text, COLOURS.trouble),
          ]
        : []),
      {
        data: { values },
        mark: { type: "line", clip: true },
        encoding: {
          x: time(fromMs, toMs, axis.unitMs, axis.title),
          y: {
            field: "value",
            type: "quantitative",
            title: "evidence that green is worse",
            axis: { format: ",~g", values: [0.01, 0.1, 1, 10, 100, 1000, 10_000] },
            scale: { type: "log", domain: [LEAST, MOST] },
          },
          color: {
            field: "signal",
            type: "nominal",
            scale: { domain: SIGNALS.map(([name]) => name), range: SIGNALS.map(([, , colour]) => colour) },
          },
          strokeWidth: {
            condition: { test: "datum.signal === 'all evidence'", value: 2.2 },
            value: 1.2,
          },
          order: { field: "t" },
        },
      },
      {
        data: { values: halt },
        mark: { type: "point", filled: true, size: 70, color: COLOURS.limit, opacity: 1, clip: true },
        encoding: {
          x: { field: "t", type: "quantitative", scale: UNMOVED },
          y: { field: "value", type: "quantitative" },
        },
      },
    ],
  };
}

function time(fromMs: number, toMs: number, unitMs: number, title: string | null) {
  return {
    field: "t",
    type: "quantitative",
    title,
    scale: { domain: [fromMs / unitMs, toMs / unitMs], nice: false, zero: false },
    axis: { tickCount: 12 },
  };
}

function rule(along: "x" | "y", at: number, color: string) {
  return {
    data: { values: [{ at }] },
    mark: { type: "rule", color, strokeDash: [5, 3] },
    encoding: { [along]: { field: "at", type: "quantitative", ...(along === "x" && { scale: UNMOVED }) } },
  };
}

/** Text that begins at a point, a little above it. */
function label(x: number, y: number, text: string, color: string) {
  return {
    data: { values: [{ x, y }] },
    mark: { type: "text", text, color, align: "left", dx: 5, dy: -6, fontSize: 11 },
    encoding: {
      x: { field: "x", type: "quantitative", scale: UNMOVED },
      y: { field: "y", type: "quantitative" },
    },
  };
}

function shownEvidence(evidence: number): number {
  return rounded(Math.min(MOST, Math.max(LEAST, evidence)));
}

/** Three digits are more than a picture shows, and keep the file small. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
