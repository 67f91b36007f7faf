/** One form of a flag as it decides: the published one, or an edit that waits to be published. Pure. */
import { type Audience, audienceOf, DEFAULT_COHORT } from "../flag/members.ts";
import { FULL_SHARE } from "../flag/percentage.ts";
import { type Provisos, provisosOf } from "../flag/provisos.ts";
import type { Flag, State } from "../flag/schema.ts";
import type { FlagStatus, Halt } from "./snapshot.ts";

/** Visitors whom the flag's share has placed, named after the cohort of a stage. */
export interface CompiledBand {
  cohort: string;
  /** Buckets below are in it, thousandths of a percent. */
  share: number;
  stopped: boolean;
  /** Buckets from here on stay on blue. */
  cap: number;
}

/** All that decides of one form of a flag. */
export interface Layer {
  state: State;
  /** Share of green in thousandths of a percent. */
  share: number;
  /** In the order in which they are asked. Empty unless the state is canary. */
  audiences: readonly Audience[];
  /** Ascending; the last one is everyone. */
  bands: readonly CompiledBand[];
  /** Is everybody on green, whoever they are? */
  isWhole: boolean;
  /** What is asked before all this; undefined for most flags. */
  provisos: Provisos | undefined;
}

/** What is known beside the form itself. */
export interface Ruling {
  share: number;
  /** Cohorts that are enabled by the plan so far; undefined: all. */
  cohorts: readonly string[] | undefined;
  status: FlagStatus | undefined;
  /** The flag's halts that apply. */
  halts: readonly Halt[];
  isCohortOff: (cohort: string) => boolean;
  /** Name of the environment; undefined: it has none. */
  environment: string | undefined;
  /** False while no status is known: then an override takes green away, and gives it to nobody. */
  knowsHalts: boolean;
}

/** The most that halts leave to green, or to one of its cohorts, thousandths of a percent. */
export function capOf(halts: readonly Halt[], cohort?: string): number {
  let cap = FULL_SHARE;
  for (const halt of halts) {
    if (halt.action === "reduce" && halt.cap !== undefined && halt.cohort === cohort)
      cap = Math.min(cap, halt.cap);
  }
  return cap;
}

/** The form of a flag as it decides. The switches of cohorts are for flags in canary. */
export function layerOf(spec: Flag, ruling: Ruling): Layer {
  const { cohorts, status, halts, isCohortOff } = ruling;
  const { state } = spec;
  const most = capOf(halts);
  const provisos = provisosOf(spec, ruling);
  const share = provisos?.elsewhere ? 0 : Math.min(ruling.share, most);
  const limits = (cohort: string) => ({
    cohort,
    stopped: (state === "canary" && isCohortOff(cohort)) || halts.some((halt) => stops(halt, cohort)),
    cap: Math.min(most, capOf(halts, cohort)),
  });
  const everyone = { ...limits(DEFAULT_COHORT), share: FULL_SHARE };
  const isWhole = state === "on" && share === FULL_SHARE && everyone.cap === FULL_SHARE && !everyone.stopped;
  if (state !== "canary") return { state, share, audiences: [], bands: [everyone], isWhole, provisos };
  const isOn = (name: string) => spec.cohorts[name]?.enabled !== false;
  const audiences = Object.entries(spec.cohorts)
    .filter(([name]) => isOn(name) && (cohorts === undefined || cohorts.includes(name)))
    .map(([name, cohort]) => audienceOf(cohort, limits(name), selectedIn(status, name)));
  const bands = (status?.bands ?? [])
    .filter(({ cohort }) => isOn(cohort))
    .map((band) => ({ ...limits(band.cohort), share: band.share }));
  return { state, share, audiences, bands: [...bands, everyone], isWhole, provisos };
}

/** Tenants chosen for a cohort, which may be called `constructor`. */
function selectedIn(status: FlagStatus | undefined, cohort: string): readonly string[] {
  const selected = status?.selected;
  return selected && Object.hasOwn(selected, cohort) ? selected[cohort]! : [];
}

function stops(halt: Halt, cohort: string): boolean {
  return halt.cohort === cohort && (halt.action === "rollback" || halt.action === "kill");
}
