/** Compiles flags into the routing table: all work that does not need the request is done here, once a snapshot. */
import { seedOf } from "../hashing/bucket.ts";
import type { EffectiveFlag } from "../rollout/effective.ts";
import { attributesOf, TENANT } from "./members.ts";
import type { Flag } from "./schema.ts";
import type { CompiledFlag, ContextSource, Source, Table } from "./table.ts";

const PREFIX_END = "/*";
const WILDCARD = "*.";

/**
 * The routing table of the flags. A request is matched by:
 * 1. host, the most specific first: the exact name, then `*.example.com` from the longest to the shortest, then `*`.
 *    `*.example.com` is every name below example.com, at any depth, and not example.com itself;
 * 2. within a host, path: the exact path, then prefixes from the longest to the shortest. `/shop/*` is `/shop` and
 *    all below `/shop/`; `/*` is everything;
 * 3. the flag whose name sorts first, where two have the same host and pattern.
 * A host none of whose patterns fit the path falls through to the next less specific one. Paths are compared as they
 * were sent, byte for byte: `/%73hop` is not `/shop`. No look-up runs over the flags; its cost is bounded by the
 * longest pattern, whatever the request looks like.
 *
 * `closed`: hosts of the admin API. No `*` covers them: pages of the application would share their origin with it.
 */
export function compileTable(flags: readonly EffectiveFlag[], closed: readonly string[] = []): Table {
  const compiled = flags.map(compileFlag).sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(compiled.map((flag) => [flag.name, flag]));
  for (const flag of compiled) tie(flag, byName);
  const hosts = new HostIndex();
  for (const flag of compiled) {
    for (const host of flag.spec.route?.hosts ?? []) {
      for (const pattern of flag.spec.route?.paths ?? []) hosts.add(host, pattern, flag);
    }
  }
  for (const host of closed) hosts.close(host);
  return {
    flags: byName,
    match: (host, path) => hosts.match(withoutRootDot(host), path),
    namesHost: (host) => hosts.names(withoutRootDot(host)),
    isClosed: (host) => hosts.isClosed(withoutRootDot(host)),
  };
}

const NO_NEEDS: CompiledFlag["needs"] = new Map();

/** A flag while the table is made: what hangs on other flags comes last. */
interface Draft extends CompiledFlag {
  needs: CompiledFlag["needs"];
  context: CompiledFlag["context"];
}

function compileFlag(flag: EffectiveFlag): Draft {
  const { name, spec } = flag;
  return {
    ...flag,
    seed: seedOf(saltOf(name, spec)),
    sources: spec.stickBy.map(parseSource),
    context: [],
    needs: NO_NEEDS,
  };
}

/** Ties a flag to those that it depends on, and says what has to be known of its visitors for all of them. */
function tie(flag: Draft, flags: ReadonlyMap<string, CompiledFlag>): void {
  const names = dependenciesOf(flag);
  if (names.length > 0) {
    const found = names.map((name) => flags.get(name)).filter((need) => need !== undefined);
    flag.needs = new Map(found.map((need) => [need.name, need]));
  }
  const wanted = new Set<string>();
  const seen = new Set<EffectiveFlag>([flag]);
  for (const one of seen) {
    for (const attribute of wantedBy(one)) wanted.add(attribute);
    for (const name of dependenciesOf(one)) {
      const need = flags.get(name);
      if (need) seen.add(need);
    }
  }
  flag.context = contextOf(flag, wanted);
}

function dependenciesOf({ layers }: EffectiveFlag): string[] {
  return layers.flatMap(({ provisos }) => provisos?.dependencies ?? []);
}

/** What buckets start from: with `rotate` another one for each release, so that other visitors are first. */
export function saltOf(name: string, { salt = name, rotate, release }: Flag): string {
  return rotate === "release" ? `${salt}|${release}` : salt;
}

/** The attributes that the flag's own cohorts and overrides ask for. */
function wantedBy({ layers }: EffectiveFlag): string[] {
  return layers.flatMap(({ audiences, provisos }) => [
    ...audiences.flatMap(attributesOf),
    ...(provisos && provisos.tenants.size > 0 ? [TENANT] : []),
  ]);
}

/** Where the attributes come from that are asked for, as far as somebody vouches for them. */
function contextOf({ spec }: EffectiveFlag, wanted: ReadonlySet<string>): ContextSource[] {
  const vouched = spec.route?.trusted !== undefined;
  return [...wanted].flatMap((name) => {
    const text = Object.hasOwn(spec.context, name) ? spec.context[name] : undefined;
    const source = text === undefined ? undefined : parseSource(text);
    if (source === undefined || source.kind === "visitor" || source.kind === "cookie") return [];
    return source.kind === "ip" || vouched ? [{ name, source }] : [];
  });
}

/** Where a targeting key comes from, by the text of `stickBy`. */
export function parseSource(text: string): Source {
  const colon = text.indexOf(":");
  const name = text.slice(colon + 1);
  switch (colon < 0 ? text : text.slice(0, colon)) {
    case "ip":
      return { kind: "ip" };
    case "header":
      return { kind: "header", name: name.toLowerCase() };
    case "cookie":
      return { kind: "cookie", name };
    case "jwt":
      return { kind: "jwt", name };
    default:
      return { kind: "visitor" };
  }
}

/** `shop.example.com.` is the same host as `shop.example.com`. */
function withoutRootDot(host: string): string {
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

class HostIndex {
  readonly #exact = new Map<string, PathIndex>();
  /** By suffix, its dot included: `.example.com`. */
  readonly #wild = new Map<string, PathIndex>();
  #longestWild = 0;
  #any: PathIndex | undefined;

  add(host: string, pattern: string, flag: CompiledFlag): void {
    this.#pathsOf(host).add(pattern, flag);
  }

  match(host: string, path: string): CompiledFlag | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) {
      const found = exact.match(path);
      if (found || exact.isClosed) return found;
    }
    if (this.#longestWild > 0) {
      for (let dot = firstDot(host, this.#longestWild); dot > 0; dot = host.indexOf(".", dot + 1)) {
        const found = this.#wild.get(host.slice(dot))?.match(path);
        if (found) return found;
      }
    }
    return this.#any?.match(path);
  }

  /** Lets nothing less specific answer for a host, unless a route names it. */
  close(host: string): void {
    if (!this.names(host)) this.#pathsOf(host).isClosed = true;
  }

  isClosed(host: string): boolean {
    return this.#exact.get(host)?.isClosed === true;
  }

  names(host: string): boolean {
    if (this.#exact.get(host)?.isClosed === false) return true;
    for (let dot = firstDot(host, this.#longestWild); dot > 0; dot = host.indexOf(".", dot + 1)) {
      if (this.#wild.has(host.slice(dot))) return true;
    }
    return false;
  }

  #pathsOf(host: string): PathIndex {
    if (host === "*") {
      this.#any ??= new PathIndex();
      return this.#any;
    }
    const wild = host.startsWith(WILDCARD);
    const map = wild ? this.#wild : this.#exact;
    const key = wild ? host.slice(1) : host;
    if (wild) this.#longestWild = Math.max(this.#longestWild, key.length);
    const paths = map.get(key) ?? new PathIndex();
    map.set(key, paths);
    return paths;
  }
}

/** First dot of a host from which on no more than `longest` characters are left, and a label stands before it. */
function firstDot(host: string, longest: number): number {
  return host.indexOf(".", Math.max(1, host.length - longest));
}

class PathIndex {
  isClosed = false;
  readonly #exact = new Map<string, CompiledFlag>();
  /** By what stands before the closing `/*`: `/shop` for `/shop/*`, nothing for `/*`. */
  readonly #prefixes = new Map<string, CompiledFlag>();
  #longestPrefix = -1;

  /** The first flag that comes with a pattern keeps it. */
  add(pattern: string, flag: CompiledFlag): void {
    const isPrefix = pattern.endsWith(PREFIX_END);
    const map = isPrefix ? this.#prefixes : this.#exact;
    const key = isPrefix ? pattern.slice(0, -PREFIX_END.length) : pattern;
    if (!map.has(key)) map.set(key, flag);
    if (isPrefix) this.#longestPrefix = Math.max(this.#longestPrefix, key.length);
  }

  match(path: string): CompiledFlag | undefined {
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(path);
      if (exact) return exact;
    }
    if (this.#longestPrefix < 0) return undefined;
    // A prefix ends where the path ends or has a slash: try these places from the last possible one.
    let end = path.length <= this.#longestPrefix ? path.length : path.lastIndexOf("/", this.#longestPrefix);
    while (end >= 0) {
      const found = this.#prefixes.get(path.slice(0, end));
      if (found || end === 0) return found;
      end = path.lastIndexOf("/", end - 1);
    }
    return undefined;
  }
}
