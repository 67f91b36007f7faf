/** Tells Greenlight's own paths from traffic, and both from paths that only pretend not to be ours. */

/** First segment of all paths that are Greenlight's own. */
export const CONTROL_PREFIX = "/_greenlight";

/**
 * - `none`: traffic.
 * - `control`: Greenlight's own.
 * - `disguised`: ours only after decoding or normalising it; an origin or a proxy behind us might do that, so it is
 *   answered with 404 and never forwarded.
 */
export type Prefix = "none" | "control" | "disguised";

/** Rounds of percent-decoding that are undone; deeper nesting is refused by what remains of it. */
const MAX_DECODINGS = 4;

const SLASH = 47;
const UNDERSCORE = 95;

/** Classifies a path (without query). Ordinary paths cost four searches. */
export function prefixOf(path: string): Prefix {
  if (path.charCodeAt(1) === UNDERSCORE) {
    if (path.startsWith(CONTROL_PREFIX)) {
      if (path.length === CONTROL_PREFIX.length || path.charCodeAt(CONTROL_PREFIX.length) === SLASH)
        return "control";
    }
  } else if (!path.includes("%") && !path.includes("//") && !path.includes("/.") && !path.includes("\\")) {
    return "none";
  }
  const plain = normalise(path);
  return plain === CONTROL_PREFIX || plain.startsWith(`${CONTROL_PREFIX}/`) ? "disguised" : "none";
}

/** The path as the most forgiving server would read it: decoded, slashes merged, dot segments resolved, lower case. */
function normalise(path: string): string {
  let text = path;
  for (let i = 0; i < MAX_DECODINGS && text.includes("%"); i++) {
    const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === text) break;
    text = decoded;
  }
  const segments: string[] = [];
  for (const raw of text.split(/[/\\]+/)) {
    // Parameters (`;v=1`) and anything from `?`, `#` or a NUL on are not part of a name to some servers.
    const segment = raw.replace(/[;?#\0\s].*$/s, "");
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`.toLowerCase();
}
