/** A plain HTTP client that sends what it is given, byte for byte, and follows, decodes or hides nothing. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";

/** An answer as it came. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as sent. */
  rawHeaders: string[];
  body: Buffer;
  text: string;
}

export interface Question {
  method?: string;
  /** Path and query, sent as they are. */
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** Milliseconds without a sign of the server after which a test should hear of it. */
const SILENCE_MS = 10_000;

/** Asks `url` (scheme, host and port only). */
export function ask(
  url: string,
  { method = "GET", path = "/", headers = {}, body }: Question = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const req = request({ hostname, port, method, path, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () => {
        const all = Buffer.concat(chunks);
        const { statusCode: status = 0, headers: got, rawHeaders } = res;
        resolve({ status, headers: got, rawHeaders, body: all, text: all.toString() });
      });
    });
    req.setTimeout(SILENCE_MS, () => req.destroy(new Error(`no answer to ${method} ${path}`)));
    req.once("error", reject);
    req.end(body);
  });
}

/** Headers of a browser that navigates, on which visitor cookies are minted. */
export const NAVIGATION = { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };

/** `name=value` of the visitor cookie in an answer. */
export function visitorCookie({ headers }: Answer): string | undefined {
  const set = headers["set-cookie"]?.find((line) => line.startsWith("gl_visitor="));
  return set?.slice(0, set.indexOf(";"));
}
