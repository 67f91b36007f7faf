/** The figures as tables: false halts, what green served until the halt, and the same of the rivals. */
import Table from "cli-table3";
import pc from "picocolors";
import type { Figure } from "../figure.ts";
import { OWN } from "./contenders.ts";
import type { Summary, Verdict } from "./summary.ts";

/** No colours, and no rule between the rows: there are a hundred of them. */
const LOOK = {
  style: { head: [], border: [] },
  chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
};

const VERDICTS: Record<Verdict, string> = {
  aim: pc.green("met, and the aim"),
  met: pc.green("met"),
  missed: pc.red("MISSED"),
  few: pc.dim("too few runs"),
};

/** One line about a scenario that is done, for those who wait. */
export function lineOf(summaries: readonly Summary[]): string {
  const parts = summaries.map((summary) => {
    const { contender, requests, runs, halts, early } = summary;
    const served = requests ? `${number(requests.median)} requests` : `${halts} of ${runs}`;
    return `${contender} ${served}${early > 0 ? ` (${early} early)` : ""}`;
  });
  return parts.join(", ");
}

export function report(summaries: readonly Summary[], costs: readonly Figure[]): string {
  const halts = summaries.filter(({ requests }) => requests === undefined);
  const served = summaries.filter(({ requests }) => requests !== undefined);
  const own = ({ contender }: Summary) => contender === OWN;
  const others = served.filter((summary) => !own(summary));
  const timed = ({ group }: Summary) => group === "latency";
  return [
    titled("False halts: green is as good as blue", ownHalts(halts.filter(own))),
    titled("Green's requests and failures from the change to the halt", ownServed(served.filter(own))),
    titled(
      "False halts of the others, with their 95 % interval",
      pivot(
        halts.filter((s) => !own(s)),
        shareOf,
      ),
    ),
    titled(
      "Requests, failures of green until the others halt: median (p95)",
      pivot(
        others.filter((s) => !timed(s)),
        servedOf,
      ),
    ),
    titled("The same of latency", pivot(others.filter(timed), servedOf)),
    titled("The gate, and what a tick costs", costTable(costs)),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

function titled(title: string, table: Table.Table | undefined): string {
  return table === undefined ? "" : `${pc.bold(title)}\n${table.toString()}`;
}

function ownHalts(summaries: readonly Summary[]): Table.Table | undefined {
  if (summaries.length === 0) return undefined;
  const table = new Table({
    head: ["scenario", "halts", "share", "95 %", "at least", "aim", ""],
    ...LOOK,
  });
  for (const s of summaries)
    table.push([
      s.scenario,
      `${s.halts} of ${s.runs}`,
      percent(s.falseShare),
      `${percent(s.low)} to ${percent(s.high)}`,
      s.atLeast === undefined ? "" : percent(s.atLeast),
      s.aim === undefined ? "" : percent(s.aim),
      s.verdict === undefined ? "" : VERDICTS[s.verdict],
    ]);
  return table;
}

function ownServed(summaries: readonly Summary[]): Table.Table | undefined {
  if (summaries.length === 0) return undefined;
  const table = new Table({
    head: [
      "scenario",
      "requests",
      "p95",
      "failures",
      "p95",
      "early, never",
      "bound",
      "of it",
      "at least",
      "aim",
      "",
    ],
    ...LOOK,
  });
  for (const s of summaries)
    table.push([
      s.scenario,
      number(s.requests!.median),
      number(s.requests!.p95),
      number(s.failures!.median),
      number(s.failures!.p95),
      `${s.early}, ${s.runs - s.halts - s.early} of ${s.runs}`,
      s.bound === undefined ? "" : s.bound.toFixed(s.bound < 10 ? 1 : 0),
      s.ratio === undefined || s.ratio === Number.POSITIVE_INFINITY ? "" : `${s.ratio.toFixed(2)} x`,
      s.atLeast === undefined ? "" : number(s.atLeast),
      s.aim === undefined ? "" : number(s.aim),
      s.verdict === undefined ? "" : VERDICTS[s.verdict],
    ]);
  return table;
}

/** A row for each scenario, a column for each contender. */
function pivot(summaries: readonly Summary[], cell: (summary: Summary) => string): Table.Table | undefined {
  if (summaries.length === 0) return undefined;
  const names = [...new Set(summaries.map(({ contender }) => contender))];
  const scenarios = [...new Set(summaries.map(({ scenario }) => scenario))];
  const table = new Table({ head: ["scenario", ...names], ...LOOK });
  for (const scenario of scenarios) {
    const row = summaries.filter((s) => s.scenario === scenario);
    const cells = names.map((name) => row.find(({ contender }) => contender === name));
    table.push([scenario, ...cells.map((s) => (s === undefined ? "" : cell(s)))]);
  }
  return table;
}

function shareOf({ falseShare, low, high }: Summary): string {
  return `${percent(falseShare)} (${percent(low)}–${percent(high)})`;
}

function servedOf({ requests, failures, early, runs }: Summary): string {
  if (early === runs) return "all early";
  const text = `${number(requests!.median)} (${number(requests!.p95)}), ${number(failures!.median)} (${number(failures!.p95)})`;
  return early > 0 ? `${text}, ${percent(early / runs)} early` : text;
}

function costTable(costs: readonly Figure[]): Table.Table | undefined {
  if (costs.length === 0) return undefined;
  const table = new Table({ head: ["figure", "measured", "asked for", "", "note"], ...LOOK });
  for (const { name, value, target, met, note } of costs)
    table.push([name, value, target ?? "", VERDICTS[met ? "met" : "missed"], note ?? ""]);
  return table;
}

function number(n: number): string {
  if (n === Number.POSITIVE_INFINITY) return "never";
  return Math.round(n).toLocaleString("en");
}

/** Two significant digits: a tenth of a percent must not look like nothing. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
