/** The flag document bundled at build: routes and origins for an isolate that can read nothing else. */
import bundled from "../../fixtures/bundled.json" with { type: "json" };
import { type ParsedDocument, parseDocument } from "../core/flag/parse.ts";
import { FULL_SHARE } from "../core/flag/percentage.ts";
import { type EffectiveFlag, servedBare } from "../core/rollout/effective.ts";

/**
 * The routed flags of the bundled document, each answering its `fallback` for everyone, with reason STALE: what it
 * says about states and shares is as old as the build.
 */
export function bundledFlags(
  parsed: ParsedDocument = parseDocument(JSON.stringify(bundled)),
): EffectiveFlag[] {
  const flags: EffectiveFlag[] = [];
  for (const [name, spec] of parsed.flags) {
    if (spec.route === undefined) continue;
    const share = spec.fallback === "green" ? FULL_SHARE : 0;
    flags.push(servedBare(name, { ...spec, state: "canary" }, share, true));
  }
  return flags;
}
