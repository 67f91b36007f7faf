/** A routed flag made ready for requests: its origins, its breaker, its rescue budget and its rows of counters. */
import type { Placement, Variant } from "../core/analysis/tally.ts";
import type { Route } from "../core/flag/schema.ts";
import type { CompiledFlag } from "../core/flag/table.ts";
import { Breaker } from "./breaker.ts";
import type { Recorder } from "./recorder.ts";
import { RescueBudget } from "./rescue.ts";
import { bareAuthority } from "./rewrite.ts";
import type { Row } from "./row.ts";

/** Breakers and budgets kept for flags that come back; more are forgotten. */
const MAX_KEPT = 1000;

const MS = 1000;

/** Where requests can be sent. */
export type Origin =
  | { kind: "url" /** `https://host:port`. */; base: string; authority: string; host: string }
  | { kind: "service"; binding: string };

/** Reads an origin as a route gives it. */
export function originOf(text: string): Origin {
  if (text.startsWith("service:")) return { kind: "service", binding: text.slice("service:".length) };
  const scheme = text.slice(0, text.indexOf(":"));
  const authority = text.slice(scheme.length + 3).toLowerCase();
  return {
    kind: "url",
    base: text,
    authority: bareAuthority(authority, scheme),
    host: authority.replace(/:\d+$/, ""),
  };
}

/** Index of a row by how the visitor was placed; green's follow blue's. */
const PLACEMENTS: Record<Placement, number> = { hash: 0, address: 1, match: 2 };
const GREEN = 3;

export class Lane {
  readonly flag: CompiledFlag;
  readonly route: Route;
  readonly blue: Origin;
  readonly green: Origin;
  readonly breaker: Breaker;
  readonly budget: RescueBudget;
  readonly timeoutMs: number;
  /** How long green has where a request can be rescued. */
  readonly rescueAfterMs: number;
  /** The shortest that any request of this lane may have to be timed, milliseconds. */
  readonly shortestMs: number;
  readonly slowAfterMs: number | undefined;
  /** Authorities and host names that must not show in `Location` and cookies; empty where nothing is mapped. */
  readonly authorities: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  readonly #recorder: Recorder;
  readonly #rows = new Map<string, Row[]>();

  constructor(flag: CompiledFlag, route: Route, breaker: Breaker, budget: RescueBudget, recorder: Recorder) {
    this.flag = flag;
    this.route = route;
    this.blue = originOf(route.blue);
    this.green = originOf(route.green);
    this.breaker = breaker;
    this.budget = budget;
    this.timeoutMs = route.timeout * MS;
    this.rescueAfterMs = Math.min(route.rescueAfter, route.timeout) * MS;
    this.shortestMs = route.rescue === "off" ? this.timeoutMs : this.rescueAfterMs;
    this.slowAfterMs = route.slowAfter === undefined ? undefined : route.slowAfter * MS;
    const named = [this.blue, this.green].filter((origin) => origin.kind === "url");
    this.authorities = new Set(route.rewriteLocation ? named.map((origin) => origin.authority) : []);
    this.hosts = new Set(route.rewriteLocation ? named.map((origin) => origin.host) : []);
    this.#recorder = recorder;
  }

  /** The row in which a visitor so placed is counted. */
  row(variant: Variant, cohort: string, placement: Placement): Row {
    let rows = this.#rows.get(cohort);
    if (!rows) {
      rows = [];
      this.#rows.set(cohort, rows);
    }
    const index = PLACEMENTS[placement] + (variant === "green" ? GREEN : 0);
    const { name, spec } = this.flag;
    rows[index] ??= this.#recorder.row({ flag: name, release: spec.release, cohort, variant, placement });
    return rows[index];
  }
}

/** The lanes of an isolate. Breakers and budgets outlive the routing tables that lanes are made from. */
export class Lanes {
  readonly #recorder: Recorder;
  readonly #lanes = new WeakMap<CompiledFlag, Lane>();
  /** By flag, release, origin and settings: the next release begins with a closed breaker. */
  readonly #breakers = new Map<string, Breaker>();
  /** By blue origin. */
  readonly #budgets = new Map<string, RescueBudget>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The lane of a flag, which has to be a routed one. */
  of(flag: CompiledFlag): Lane {
    const known = this.#lanes.get(flag);
    if (known) return known;
    const { route, release } = flag.spec;
    if (!route) throw new Error("a flag without a route was matched");
    const { failureThreshold, monitoringPeriod, resetTimeout } = route.breaker;
    const settings = {
      failureThreshold,
      monitoringPeriodMs: monitoringPeriod * MS,
      resetTimeoutMs: resetTimeout * MS,
      probeTimeoutMs: route.timeout * MS,
    };
    const key = [flag.name, release, route.green, ...Object.values(settings)].join("|");
    // While green is stopped its breaker is out of use; a later resume must not find it open and be halted by that.
    if (flag.stop !== undefined) this.#breakers.delete(key);
    const breaker = kept(this.#breakers, key, () => new Breaker(settings));
    const budget = kept(this.#budgets, route.blue, () => new RescueBudget());
    const lane = new Lane(flag, route, breaker, budget, this.#recorder);
    this.#lanes.set(flag, lane);
    return lane;
  }
}

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    if (map.size >= MAX_KEPT) map.clear();
    value = make();
    map.set(key, value);
  }
  return value;
}
