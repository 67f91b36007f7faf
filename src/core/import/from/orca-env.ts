/** ORCA: environment variables, `ENABLE_X` as switches and all others as typed values. */

import type { Value } from "../../flag/schema.ts";
import { booleanIn } from "../cells.ts";
import { Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";

/** Flags of ORCA's tables whose kind does not follow from how their variable is called. */
export const ORCA_KINDS: Readonly<Record<string, string>> = {
  new_trust_algorithm: "release",
  advanced_policies: "release",
  real_time_websockets: "release",
  enable_self_healing: "kill-switch",
  enable_agent_discovery: "kill-switch",
  enable_external_apis: "kill-switch",
  max_retry_attempts: "operational",
  cache_ttl_seconds: "operational",
  batch_size: "operational",
  sync_freshness_slo_hours: "operational",
};

/** Name of the only variant of a typed value: it is the answer on and off. */
export const VALUE = "value";
const PREFIX = "enable_";

/** Variables that are no flags, and must not be shown to everybody who may read a flag document. */
const SECRET =
  /SECRET|TOKEN|PASS(WORD|WD|PHRASE)|PRIVATE|CREDENTIAL|(^|_)(API_?)?KEY$|(^|_)(DSN|PWD)$|CONNECTION/;
const WITH_CREDENTIALS = /:\/\/[^/\s]*:[^/\s]*@/;

/** Every variable of the environment. */
export function fromOrcaEnv(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  for (const [name, piece] of drafts.root.entries()) readVariable(drafts, name, piece);
  return drafts.finish("orca-env");
}

/** Is this an environment: variables in upper case, none of them an object? */
export function isEnvironment(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const names = Object.keys(value);
  return (
    names.length > 0 &&
    names.every((name) => /^[A-Z][A-Z0-9_]*$/.test(name) && typeof value[name] !== "object")
  );
}

function readVariable(drafts: Drafts, variable: string, piece: Piece): void {
  const { value } = piece;
  if (SECRET.test(variable) || (typeof value === "string" && WITH_CREDENTIALS.test(value)))
    return void piece.as("hidden").lose("A secret, by its name or form, and so no flag.");
  if (typeof value === "object") return void piece.lose("Not a text, and so not understood.");
  const exact = variable.toLowerCase();
  const isSwitch = exact.startsWith(PREFIX) && exact.length > PREFIX.length;
  const name = isSwitch && !isKnown(drafts, exact) ? exact.slice(PREFIX.length) : exact;
  const enabled = booleanIn(String(value));
  if (isSwitch && enabled === undefined) return void piece.lose("Not true or false, and so not understood.");
  if (drafts.has(name))
    return void piece.lose(`Another variable means the flag ${name} too, and goes before.`);
  const draft = drafts.of(name, piece);
  piece.take();
  draft.set("kind", ORCA_KINDS[name] ?? (isSwitch ? "release" : "operational"));
  const word = String(value).toLowerCase();
  if (isSwitch || word === "true" || word === "false") {
    draft.set("state", enabled ? "on" : "off");
    return;
  }
  draft.set("state", "on");
  draft.set("variants", { [VALUE]: typedValue(value) });
  draft.set("onVariant", VALUE);
  draft.set("offVariant", VALUE);
}

/** The exact name goes first, where there is a flag that is called so. */
function isKnown({ options }: Drafts, exact: string): boolean {
  return exact in ORCA_KINDS || (options.known?.includes(exact) ?? false);
}

/** The value that a text has: a number or JSON if it is written as one, else the text. */
function typedValue(value: unknown): Value {
  if (typeof value !== "string") return value as Value;
  if (value !== "" && String(Number(value)) === value)
    return Number.isFinite(Number(value)) ? Number(value) : value;
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value;
  }
}
