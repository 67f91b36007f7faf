/** What `diff` and `apply` compare: the document of the router that is meant, and the one that is to take its place. */
import { type Edited, editFlag } from "../../core/flag/edit.ts";
import { parseDocument } from "../../core/flag/parse.ts";
import type { Value } from "../../core/flag/schema.ts";
import type { Cli } from "./cli.ts";
import { Api } from "./client.ts";
import { readText, refuseFaults } from "./document-file.ts";
import { EXIT } from "./exit.ts";
import { misused, Stopped, stop } from "./failure.ts";
import { chooseProfile } from "./profile.ts";

/** Where the new document comes from, and what of it is taken. */
export interface Wanted {
  file: string | undefined;
  /** The document of this profile's router instead of a file. */
  from: string | undefined;
  /** Names of the flags that are taken; all else stays as it is. */
  only: string[] | undefined;
  /** Flags keep the route that they have at the target. */
  keepRoutes: boolean;
}

/** The document that is in force at the target. */
export interface InForce {
  text: string;
  /** Undefined by KV alone, and where there is no document yet. */
  etag: string | undefined;
}

type Written = { [key: string]: Value };

/** No document was put yet. */
const EMPTY: InForce = { text: '{\n  "flags": {}\n}\n', etag: undefined };

/** The text that is wanted, as it was written. */
export async function sourceText(cli: Cli, { file, from }: Wanted): Promise<{ text: string; name: string }> {
  if (from === undefined) {
    if (file === undefined) misused("Which document?", "A file, - for stdin, or --from PROFILE.");
    const text = await readText(file);
    refuseFaults(cli, file, text);
    return { text, name: file };
  }
  if (file !== undefined) misused("A file or --from, not both.");
  const { timeout, profile } = cli.options;
  const source = await chooseProfile({ profile: from });
  const target = await cli.profile();
  if (source.url === target.url)
    misused(`${from} is the router that is written to${profile ? "" : ": name the other with --profile"}.`);
  const api = new Api(source, timeout * 1000, cli.interrupted);
  const text = await cli.busy(`asking ${source.url}`, () => api.ask<string>("/document", { asText: true }));
  refuseFaults(cli, from, text);
  return { text, name: from };
}

/** The document in force; an empty one where there is none. */
export async function inForce(cli: Cli): Promise<InForce> {
  try {
    return await (await cli.store()).document();
  } catch (error) {
    if (error instanceof Stopped && error.failure.type?.endsWith(":no-document")) return EMPTY;
    throw error;
  }
}

/** The text that takes the place of the one in force. */
export function wantedText(source: string, target: string, { only, keepRoutes, from }: Wanted): string {
  const routed = keepRoutes ? withRoutesOf(source, target, only, from !== undefined) : source;
  return only === undefined ? routed : withFlagsOf(routed, target, only);
}

/**
 * The source with the routes of the target. A routed flag that the target does not have is refused: its origins are
 * those of another environment, and visitors would be sent there.
 */
function withRoutesOf(
  source: string,
  target: string,
  only: string[] | undefined,
  isPromotion: boolean,
): string {
  const there = flagsIn(target);
  let text = source;
  for (const [name, flag] of flagsIn(source)) {
    if (only !== undefined && !only.includes(name)) continue;
    const before = there.get(name);
    if (before === undefined && flag.route !== undefined && isPromotion)
      return misused(
        `${name} is not at the target yet, and its route names origins of where it comes from.`,
        `greenlight create ${name} there with its own origins first, leave it out with --only, or take the routes along with --no-keep-routes.`,
      );
    if (before === undefined || JSON.stringify(before.route) === JSON.stringify(flag.route)) continue;
    const { route: _, ...rest } = flag;
    const value = before.route === undefined ? rest : { ...rest, route: before.route };
    text = edited(editFlag(text, name, { kind: "put", value }));
  }
  return text;
}

/** The target with single flags of the source. One that the source does not have goes. */
function withFlagsOf(source: string, target: string, only: readonly string[]): string {
  const [flags, there] = [flagsIn(source), flagsIn(target)];
  return only.reduce((text, name) => {
    const value = flags.get(name);
    if (value !== undefined) return edited(editFlag(text, name, { kind: "put", value }));
    if (there.has(name)) return edited(editFlag(text, name, { kind: "delete" }));
    return misused(`There is no flag ${name}, neither in the source nor at the target.`);
  }, target);
}

function edited(result: Edited): string {
  if (result.ok) return result.text;
  return stop({ exit: EXIT.refused, sentence: `${result.sentence}: nothing was changed.` });
}

/** Flags as they are written. */
function flagsIn(text: string): Map<string, Written> {
  if (parseDocument(text).flags.size === 0) return new Map();
  const { flags } = JSON.parse(text.replace(/^\ufeff/, "")) as { flags: Record<string, Written> };
  return new Map(Object.entries(flags));
}
