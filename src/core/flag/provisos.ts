/** What a flag asks before its cohorts and its share: overrides, environments, dependencies. Most flags ask nothing. */
import type { Flag, Override } from "./schema.ts";

/** What one user or tenant is told. */
export interface Own {
  isOn: boolean;
  /** Variant of a plain flag that is answered in the place of the usual one. */
  variant: string | undefined;
  /** It applies before this time, milliseconds since the epoch; infinity: for ever. */
  until: number;
}

/** A flag that does not count here. */
export interface Elsewhere {
  /** Undefined where this Worker has no name for its environment. */
  here: string | undefined;
  environments: readonly string[];
}

/** All that is asked first, ready to be asked. */
export interface Provisos {
  users: ReadonlyMap<string, Own>;
  tenants: ReadonlyMap<string, Own>;
  elsewhere: Elsewhere | undefined;
  /** Names of flags. */
  dependencies: readonly string[];
}

/** What is known beside the flag. */
export interface Place {
  /** Name of the environment; undefined: it has none. */
  environment: string | undefined;
  /** Are the halts known? Where they are not, nobody's override puts them on green. */
  knowsHalts: boolean;
}

/** The provisos of a flag; undefined for most flags, which so pay nothing for them. */
export function provisosOf(spec: Flag, { environment, knowsHalts }: Place): Provisos | undefined {
  const { users, tenants } = spec.overrides;
  const elsewhere = isElsewhere(spec, environment)
    ? { here: environment, environments: spec.environments }
    : undefined;
  const provisos = {
    users: ownOf(users, knowsHalts),
    tenants: ownOf(tenants, knowsHalts),
    elsewhere,
    dependencies: spec.dependencies,
  };
  const isNothing =
    provisos.users.size + provisos.tenants.size + provisos.dependencies.length === 0 &&
    elsewhere === undefined;
  return isNothing ? undefined : provisos;
}

/** Does the flag name environments, and not this one? */
export function isElsewhere({ environments }: Pick<Flag, "environments">, here: string | undefined): boolean {
  return environments.length > 0 && (here === undefined || !environments.includes(here));
}

function ownOf(overrides: Readonly<Record<string, Override>>, knowsHalts: boolean): Map<string, Own> {
  const own = new Map<string, Own>();
  for (const [id, { state, variant, expires }] of Object.entries(overrides)) {
    if (state === "on" && !knowsHalts) continue;
    const until = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
    own.set(id, { isOn: state === "on", variant, until });
  }
  return own;
}

/** The override that applies at `now`; of a tenant's several the first that switches off, else the first. */
export function ownAt(
  all: ReadonlyMap<string, Own>,
  ids: readonly string[] | undefined,
  now: number,
): Own | undefined {
  let found: Own | undefined;
  for (const id of ids ?? []) {
    const own = all.get(id);
    if (own === undefined || now >= own.until) continue;
    if (!own.isOn) return own;
    found ??= own;
  }
  return found;
}
