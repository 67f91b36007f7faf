/** Visitors of the benches: browsers that come back with their cookie. */

/** What a browser sends besides `Host` and `Cookie`, and Cloudflare adds. */
const BROWSER = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language: en-GB,en;q=0.9",
  "Accept-Encoding: gzip, br",
  "CF-Connecting-IP: 203.0.113.9",
  "CF-Ray: 8f1e2d3c4b5a6978-FRA",
  'CF-Visitor: {"scheme":"https"}',
  "X-Forwarded-For: 203.0.113.9",
  "X-Forwarded-Proto: https",
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
].join("\r\n");

/** Spreads consecutive numbers over 32 bits (Knuth's multiplicative hash), so that anchors look random. */
const SPREAD = 2_654_435_761;

/** Value of the visitor cookie of visitor i, in the router's form. */
export function cookieOf(i: number): string {
  const anchor = Math.imul(i + 1, SPREAD) >>> 0;
  return `${i.toString(16).padStart(32, "0")}.${anchor.toString(16).padStart(8, "0")}`;
}

/** A page request of visitor i, as text. */
export function pageRequest(i: number, host: string, path = "/shop/item/42?color=red&size=m"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${BROWSER}\r\nCookie: theme=dark; gl_visitor=${cookieOf(i)}; session=abcdefghijklmnop\r\n\r\n`;
}

/** Visitor of an `x-visitor` header or cookie line as an origin sees it; -1 for none. */
export function visitorOf(cookie: string | undefined): number {
  const value = /gl_visitor=([0-9a-f]{32})\./.exec(cookie ?? "")?.[1];
  return value === undefined ? -1 : Number.parseInt(value, 16);
}
