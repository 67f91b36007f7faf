/** The routing table that a request is matched against: flags compiled once, looked up without a loop over them. */
import type { EffectiveFlag } from "../rollout/effective.ts";

/** Where a targeting key comes from, parsed from `stickBy`. `name` is lower case for headers. */
export type Source =
  | { kind: "visitor" }
  | { kind: "ip" }
  | { kind: "header"; name: string }
  | { kind: "cookie"; name: string }
  | { kind: "jwt"; name: string };

/** Where an attribute of the visitor comes from that somebody vouches for. */
export interface ContextSource {
  /** Name of the attribute. */
  name: string;
  source: Exclude<Source, { kind: "visitor" | "cookie" }>;
}

/** One flag ready for the request path. */
export interface CompiledFlag extends EffectiveFlag {
  /** Murmur3 of the salt; the hash of a targeting key starts from it. */
  seed: number;
  sources: readonly Source[];
  /** What else has to be known of a visitor; empty for most flags, which so pay nothing for it. */
  context: readonly ContextSource[];
  /** The flags that any of its forms depends on, by name; those that are not there are missing. */
  needs: ReadonlyMap<string, CompiledFlag>;
}

/** Compiled flags with their routes. */
export interface Table {
  readonly flags: ReadonlyMap<string, CompiledFlag>;
  /**
   * The flag whose route answers for a request: host (lower case, without port), then path, exact before prefix,
   * longer before shorter; between equals the flag whose name sorts first.
   */
  match(host: string, path: string): CompiledFlag | undefined;
  /** Does any route name this host (not by `*`)? Such a host never serves the admin API. */
  namesHost(host: string): boolean;
  /** Is the host the admin API's own? Then nothing is forwarded from it. */
  isClosed(host: string): boolean;
}
