/** Who takes part: the product's detector, or another one behind the same plug, and the rivals. */
import { pathToFileURL } from "node:url";
import type { Create, Detector } from "./plug.ts";
import { ERROR_RIVALS, LATENCY_RIVALS } from "./rivals.ts";
import type { Scenario } from "./scenario.ts";

/** What a file with a detector exports. */
export interface DetectorModule {
  create: Create;
  /** Size of the detector's state as it would be stored, bytes. */
  stateBytes?: (detector: Detector) => number;
}

export interface Field {
  /** Path of the file with the detector; absent for the rivals alone. */
  detector?: string;
  rivals: boolean;
}

/** Name of the detector in the tables. */
export const OWN = "Greenlight";

export async function load(path: string): Promise<DetectorModule> {
  const module = (await import(pathToFileURL(path).href)) as Partial<DetectorModule>;
  if (typeof module.create !== "function") throw new Error(`${path} exports no create(config)`);
  return module as DetectorModule;
}

/** By name, in the order of the tables: the detector first. */
export function contenders(
  scenario: Scenario,
  own: DetectorModule | undefined,
  rivals: boolean,
): Readonly<Record<string, Create>> {
  return {
    ...(own && { [OWN]: own.create }),
    ...(rivals && (scenario.latency ? LATENCY_RIVALS : ERROR_RIVALS)),
  };
}
