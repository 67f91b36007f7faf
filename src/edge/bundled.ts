/** The flag document bundled at build, for an isolate that can read nothing else. */
import bundled from "../../fixtures/bundled.json" with { type: "json" };
import { type ParsedDocument, parseDocument } from "../core/flag/parse.ts";
import { FULL_SHARE } from "../core/flag/percentage.ts";
import { isElsewhere } from "../core/flag/provisos.ts";
import { type EffectiveFlag, effectiveFlags, servedBare } from "../core/rollout/effective.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../core/rollout/snapshot.ts";

/**
 * The flags of the bundled document, with reason STALE, for what it says is as old as the build. A routed flag answers
 * its `fallback` for everyone; a plain one goes by its state there, in this environment.
 */
export function bundledFlags(
  parsed: ParsedDocument = parseDocument(JSON.stringify(bundled)),
  environment?: string,
): EffectiveFlag[] {
  const snapshot: Snapshot = {
    v: SNAPSHOT_VERSION,
    revision: 0,
    at: 0,
    specHash: "",
    enabled: parsed.enabled ?? true,
    flags: Object.fromEntries(parsed.flags),
    status: {},
    halts: [],
    faults: [],
  };
  const known = { snapshot, document: undefined, kill: "", environment, heardAt: 0, now: 0 };
  return effectiveFlags(known).map((flag) => {
    const { name, spec } = flag;
    if (spec.route === undefined) return { ...flag, stale: true };
    const share = spec.fallback === "green" && !isElsewhere(spec, environment) ? FULL_SHARE : 0;
    return servedBare(name, { ...spec, state: "canary" }, share, true);
  });
}
