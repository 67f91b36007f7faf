/** Looks at green as people read them: both sides, the trend of each number, and what would halt it. */

import type { Verdict } from "../../core/analysis/rules.ts";
import type { WindowView } from "../../core/api/views.ts";
import type { Output } from "./output.ts";
import { verdictSign } from "./rollout-text.ts";
import { count, latency, ratio, span, table } from "./table.ts";
import { arrow, sparkline } from "./trend.ts";

/** One flag at one time. */
export interface Look {
  /** Milliseconds since the epoch. */
  at: number;
  flag: string;
  verdict: Verdict;
  sentence: string;
  /** Evidence against green, and at which it halts. */
  evidence: { now: number; halts: number } | null;
  /** What stands against it. */
  halts: string[];
  /** What would halt it, and what is done then. */
  triggers: { rule: string; action: string; firing: boolean }[];
  sides: { green: WindowView | null; blue: WindowView | null };
}

type Number = {
  name: string;
  of: (row: WindowView) => number | null;
  text: (value: number | null) => string;
};

const NUMBERS: readonly Number[] = [
  { name: "requests", of: (row) => row.requests, text: (value) => (value === null ? "–" : count(value)) },
  { name: "error rate", of: (row) => row.errorRate, text: ratio },
  { name: "timeouts", of: (row) => row.timeouts, text: (value) => (value === null ? "–" : count(value)) },
  { name: "p50", of: (row) => row.p50, text: latency },
  { name: "p75", of: (row) => row.p75, text: latency },
  { name: "p95", of: (row) => row.p95, text: latency },
  { name: "p99", of: (row) => row.p99, text: latency },
];

/** The last look at each flag, with the trend over all of them. */
export function healthText(
  out: Output,
  past: readonly (readonly Look[])[],
  about: { cohort: string | undefined; until: number },
): string {
  const { paint } = out;
  const last = past.at(-1) ?? [];
  const left = about.until - (last[0]?.at ?? about.until);
  const whom = about.cohort === undefined ? "all visitors" : `cohort ${about.cohort}`;
  const lines = [
    paint.dim(`${whom}, the last 5 minutes; ${left > 0 ? `${span(left)} to go` : "the last look"}`),
  ];
  last.forEach((look, i) => {
    const evidence =
      look.evidence === null
        ? ""
        : `  evidence ${look.evidence.now.toPrecision(3)} of ${look.evidence.halts}`;
    lines.push(
      "",
      `${verdictSign(paint, look.verdict)} ${paint.bold(look.flag)} ${look.sentence}${paint.dim(evidence)}`,
    );
    for (const { rule, action, firing } of look.triggers)
      lines.push(firing ? `  ${paint.red("✗")} ${rule} → ${action}` : paint.dim(`  · ${rule} → ${action}`));
    for (const halt of look.halts) lines.push(`  ${paint.red("■")} ${halt}`);
    const rows = NUMBERS.map(({ name, of, text }) => {
      const values = past.map((looks) => (looks[i]?.sides.green ? of(looks[i].sides.green) : null));
      const { green, blue } = look.sides;
      return [
        name,
        text(green && of(green)),
        text(blue && of(blue)),
        `${arrow(values)} ${sparkline(values)}`.trim(),
      ];
    });
    lines.push(table(out, ["", "green", "blue", "trend of green"], rows));
  });
  return lines.join("\n");
}

/** One look at one flag in one line, for logs. */
export function healthLine({ at, flag, verdict, sentence, sides: { green, blue } }: Look): string {
  const side = (name: string, row: WindowView | null) =>
    `${name} ${row ? `${count(row.requests)} requests, ${ratio(row.errorRate)} errors, p95 ${latency(row.p95)}` : "–"}`;
  const time = new Date(at).toISOString().slice(0, 19);
  return `${time}Z ${verdict} ${flag}: ${sentence}; ${side("green", green)}; ${side("blue", blue)}`;
}
