/** The value, or the number, at a place of a JSON value. The place is a singular query of RFC 9535: `$.data[0]['p 95']`. */

/** `.name`, `[0]`, `[-1]`, `['name']` or `["name"]`, one after the other. */
const SEGMENT =
  /\s*(?:\.([\p{L}_][\p{L}\p{N}_]*)|\[\s*(?:(0|-?[1-9]\d{0,15})|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\])/uy;

/** A number alone, as some APIs (Prometheus) write theirs in a string. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Keys and indexes of a query, or undefined if it is none that names exactly one place. */
export function parseQuery(query: string): (string | number)[] | undefined {
  if (!query.startsWith("$")) return undefined;
  const parts: (string | number)[] = [];
  let at = 1;
  while (at < query.length) {
    SEGMENT.lastIndex = at;
    const found = SEGMENT.exec(query);
    if (!found) return undefined;
    at = SEGMENT.lastIndex;
    const [, name, index, single, double] = found;
    const key = name ?? (index === undefined ? unquoted(single, double) : Number(index));
    if (key === undefined) return undefined;
    parts.push(key);
  }
  return parts;
}

/** What the query names in a value, or undefined if there is nothing. */
export function valueAt(value: unknown, query: string): unknown {
  const parts = parseQuery(query);
  if (!parts) return undefined;
  let here = value;
  for (const part of parts) {
    if (typeof part === "number") here = Array.isArray(here) ? here.at(part) : undefined;
    else if (typeof here === "object" && here !== null && !Array.isArray(here) && Object.hasOwn(here, part))
      here = (here as Record<string, unknown>)[part];
    else return undefined;
  }
  return here;
}

/** The number that the query names in a value, or undefined if there is none. */
export function numberAt(value: unknown, query: string): number | undefined {
  const here = valueAt(value, query);
  const number = typeof here === "string" && NUMBER.test(here) ? Number(here) : here;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** The text in quotes; the escapes are JSON's, and `\'` between single quotes. */
function unquoted(single: string | undefined, double: string | undefined): string | undefined {
  const body = double ?? single?.replace(/\\'|"/g, (found) => (found === '"' ? '\\"' : "'"));
  try {
    return JSON.parse(`"${body}"`) as string;
  } catch {
    return undefined;
  }
}
