/** ORCA: flags that are on or off, and values, as environment variables. */
import { ORCA_KINDS } from "../from/orca-env.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { type OutFlag, Outlet } from "./outlet.ts";

const PREFIX = "ENABLE_";

export function toOrcaEnv(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const variables: Record<string, string> = {};
  for (const flag of outlet.flags) {
    const [name, value] = variableOf(flag);
    if (name in variables) flag.piece.lose(`The variable ${name} means another flag already.`);
    else variables[name] = value;
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}\n`);
  return outlet.finish("orca-env", variables, lines.join(""));
}

function variableOf(flag: OutFlag): [string, string] {
  const { name, piece } = flag;
  const exact = name.replace(/[^A-Za-z0-9]/g, "_").toUpperCase();
  if (exact.toLowerCase() !== name)
    piece.at("state").change(`Its variable is ${exact}: it comes back under that name.`);
  const isOn = onOf(flag);
  const kind = piece.at("kind");
  const value = answerOf(piece, isOn);
  const isSwitch = value === undefined && kind.value !== "operational";
  const usual = ORCA_KINDS[name] ?? (isSwitch ? "release" : "operational");
  if (kind.value === usual) kind.take();
  if (value !== undefined) return [exact, value];
  return [isSwitch && !exact.startsWith(PREFIX) ? `${PREFIX}${exact}` : exact, String(isOn)];
}

function onOf({ state, percentage, piece }: OutFlag): boolean {
  const isForAll = state === "canary" && percentage === 100;
  if (percentage > 0 && !isForAll) piece.at("percentage").lose("A variable has no percentage.");
  if (state === "on" || state === "off") return state === "on";
  piece.at("state").change(`A variable is true or false, for everybody: ${isForAll}.`);
  return isForAll;
}

/** The answer of a flag with values; undefined of one that is only on or off. */
function answerOf(piece: Piece, isOn: boolean): string | undefined {
  const variants = piece.at("variants");
  if (!isRecord(variants.value)) return undefined;
  const chosen = piece.at(isOn ? "onVariant" : "offVariant");
  const other = piece.at(isOn ? "offVariant" : "onVariant");
  const name = typeof chosen.value === "string" ? chosen.value : isOn ? "on" : "off";
  const value = variants.at(name).take();
  chosen.take();
  if (other.value === chosen.value) other.take();
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A value as files of variables have it: in quotes that it does not contain. */
function quoted(value: string): string {
  if (/^[\w./:+-]*$/.test(value)) return value;
  const quote = ["'", '"', "`"].find((q) => !value.includes(q)) ?? "'";
  return `${quote}${value}${quote}`;
}
