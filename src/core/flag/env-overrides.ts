/** Flags overridden by variables of the Worker, for local work and previews: `ENABLE_X=true`, `MAX_RETRIES=5`. */
import { type EffectiveFlag, servedBare } from "../rollout/effective.ts";
import type { Fault } from "../rollout/snapshot.ts";
import { FULL_SHARE } from "./percentage.ts";
import { type Flag, flagSchema, isName, type Value } from "./schema.ts";

const PREFIX = "ENABLE_";

/** Variables are told from bindings of other kinds by their names; lower case is for nobody. */
const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/** The Worker's own. A flag of such a name would show what is secret. */
const OWN =
  /^(ADMIN|ACCESS|PULL|ENV)_|^(SHARDS|KV_REFRESH_SECONDS|DEFAULT_ORIGIN|ENVIRONMENT|FLAGS|COUNTERS|CONTROLLER|OUTBOX)$/;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  1: true,
  0: false,
  yes: true,
  no: false,
  on: true,
  off: false,
};
const BOOLEAN_WORDS = "true, false, 1, 0, yes, no, on or off";

/** Variants of a plain flag that names none. */
const PLAIN_VARIANTS: Readonly<Record<string, Value>> = { on: true, off: false };

/** The flags with what the variables say, and what is wrong with variables. */
export interface Overridden {
  flags: EffectiveFlag[];
  /** None tells the value of a variable. */
  faults: Fault[];
}

/** What variables say about one flag. */
interface Said {
  enabled?: boolean;
  value?: Value;
}

/**
 * Overrides flags by variables. `ENABLE_X` turns the flag `enable_x` on or off, or else `x`; where neither is known it
 * makes a plain flag `x`. Any other variable gives a plain flag of that name its value, of the type of its variants.
 * Names are compared in upper snake case. It comes after kill, global switch and halt, and before all else.
 */
export function envOverrides(
  vars: Readonly<Record<string, unknown>>,
  flags: readonly EffectiveFlag[],
): Overridden {
  const faults: Fault[] = [];
  const said = new Map<string, Said>();
  const made: EffectiveFlag[] = [];
  const known = new Known(flags);
  const say = (name: string, what: Said) => said.set(name, { ...said.get(name), ...what });
  for (const variable of Object.keys(vars).sort()) {
    const given = vars[variable];
    if (!VARIABLE.test(variable) || OWN.test(variable) || given === "" || !isPlain(given)) continue;
    const isSwitch = variable.startsWith(PREFIX);
    const bare = variable.slice(PREFIX.length);
    const found = known.named(variable) ?? (isSwitch ? known.named(bare) : undefined);
    if (found === "ambiguous") {
      faults.push(faultOf(variable, "more than one flag could be meant", "a name that fits one flag only"));
    } else if (isSwitch) {
      const enabled = booleanOf(given);
      const name = bare.toLowerCase();
      if (enabled === undefined) faults.push(faultOf(variable, "no switch", BOOLEAN_WORDS));
      else if (found) say(found.name, { enabled });
      else if (isName(name)) made.push(plainFlag(name, enabled));
    } else if (found?.spec.route) {
      const by = `${PREFIX}${variable}`;
      faults.push(faultOf(variable, "a routed flag has no value of its own", `${by}, to turn it on or off`));
    } else if (found) {
      const value = valueLike(variantsOf(found.spec)[found.spec.onVariant], given);
      if ("expected" in value)
        faults.push(faultOf(variable, "of another type than the flag", value.expected));
      else say(found.name, value);
    }
  }
  const overridden = flags.map((flag) => {
    const what = said.get(flag.name);
    return what === undefined || flag.stop !== undefined ? flag : withSaid(flag, what);
  });
  return { flags: [...overridden, ...made], faults };
}

/** Flags by the variable that means them. */
class Known {
  readonly #by = new Map<string, EffectiveFlag[]>();

  constructor(flags: readonly EffectiveFlag[]) {
    for (const flag of flags) {
      const key = flag.name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
      this.#by.set(key, [...(this.#by.get(key) ?? []), flag]);
    }
  }

  /** Of several the one that is spelt like the variable. */
  named(variable: string): EffectiveFlag | "ambiguous" | undefined {
    const found = this.#by.get(variable) ?? [];
    if (found.length <= 1) return found[0];
    const exact = found.filter(({ name }) => name.toUpperCase() === variable);
    return exact.length === 1 ? exact[0] : "ambiguous";
  }
}

function withSaid(flag: EffectiveFlag, { enabled, value }: Said): EffectiveFlag {
  const { spec, isOff } =
    value === undefined ? { spec: flag.spec, isOff: false } : withValue(flag.spec, value);
  return forcedTo({ ...flag, spec }, enabled ?? !isOff);
}

/** A flag that is on or off for everyone, whatever else is said about it. */
function forcedTo(flag: EffectiveFlag, on: boolean): EffectiveFlag {
  // Halts of a routed flag are not known yet, and one of them would be stronger.
  if (on && flag.stale && flag.spec.route !== undefined) return flag;
  const share = on ? FULL_SHARE : 0;
  return { ...flag, share, shadow: false, stale: false, forced: on ? "on" : "off" };
}

function plainFlag(name: string, on: boolean): EffectiveFlag {
  const spec = flagSchema.parse({ state: on ? "on" : "off" });
  return forcedTo(servedBare(name, spec, on ? FULL_SHARE : 0), on);
}

/** The flag with the value as the one that it answers where it is on; `isOff`: it is that of the off variant. */
function withValue(spec: Flag, value: Value): { spec: Flag; isOff: boolean } {
  const variants = variantsOf(spec);
  const isIt = (name: string) => JSON.stringify(variants[name]) === JSON.stringify(value);
  if (isIt(spec.onVariant)) return { spec, isOff: false };
  if (isIt(spec.offVariant)) return { spec, isOff: true };
  const known = Object.keys(variants).find(isIt);
  if (known !== undefined) return { spec: { ...spec, onVariant: known }, isOff: false };
  let name = "env";
  while (Object.hasOwn(variants, name)) name += "_";
  return { spec: { ...spec, variants: { ...variants, [name]: value }, onVariant: name }, isOff: false };
}

function variantsOf(spec: Flag): Readonly<Record<string, Value>> {
  return spec.variants ?? PLAIN_VARIANTS;
}

/** The value of a variable, of the type of another one; or what would have been. */
function valueLike(like: Value | undefined, given: Value): { value: Value } | { expected: string } {
  switch (typeof like) {
    case "boolean": {
      const value = booleanOf(given);
      return value === undefined ? { expected: BOOLEAN_WORDS } : { value };
    }
    case "number": {
      const value = typeof given === "string" && NUMBER.test(given.trim()) ? Number(given) : given;
      return typeof value === "number" && Number.isFinite(value) ? { value } : { expected: "a number" };
    }
    case "string":
      return typeof given === "object" ? { expected: "text" } : { value: String(given) };
    default: {
      const value = typeof given === "string" ? parsed(given) : given;
      return typeof value === "object" && value !== null
        ? { value }
        : { expected: "JSON: an object or a list" };
    }
  }
}

function parsed(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

function booleanOf(given: Value): boolean | undefined {
  const word = String(given).trim().toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** Is it what a variable can be, and no binding? */
function isPlain(given: unknown): given is string | number | boolean | object {
  if (typeof given !== "object" || given === null) return /^(string|number|boolean)$/.test(typeof given);
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === Object.prototype || Array.isArray(given);
}

function faultOf(variable: string, message: string, expected: string): Fault {
  return { path: `env ${variable}`, message, expected };
}
