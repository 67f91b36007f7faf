/** Sends requests byte for byte as they are given: a path with dots or without sense, headers beyond ASCII. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { FuzzAnswer } from "./answers.ts";
import type { FuzzRequest } from "./requests.ts";

/** Without an answer for so long a request has failed, milliseconds. */
const SILENCE_MS = 20_000;
/** A server that refuses a large body early closes the connection, and its answer may be lost with it. */
const TRIES = 5;

/** A sender to a router (scheme, host and port), below a path; each request comes from an address of its own. */
export function senderTo(url: string, base: string) {
  let addresses = 0;
  return async (request: FuzzRequest, token: string | null): Promise<FuzzAnswer> => {
    const headers = {
      ...request.headers,
      "cf-connecting-ip": `192.0.2.${++addresses}`,
      ...(token !== null && { authorization: `Bearer ${token}` }),
    };
    for (let tries = 1; ; tries++) {
      try {
        return await once(url, { ...request, path: `${base}${request.path}`, headers });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isCut = code === "EPIPE" || code === "ECONNRESET";
        if (!isCut || request.body === undefined || tries === TRIES) throw error;
      }
    }
  };
}

function once(url: string, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const asked = httpRequest(url, { method, path, headers: { ...headers, ...length }, agent: false });
    asked.setTimeout(SILENCE_MS, () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.once("response", (response) => void read(response).then(resolve, reject));
    // Once there is an answer, a body that could not be sent to its end is no failure.
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Reads the answer to its end; of a stream its beginning, for it has no end. */
async function read(response: IncomingMessage): Promise<FuzzAnswer> {
  const { statusCode: status = 0, headers, rawHeaders } = response;
  const type = (headers["content-type"] ?? "").split(";")[0]!;
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    // Leaving the loop closes the connection.
    if (type === "text/event-stream") break;
  }
  return { status, type, cacheControl: headers["cache-control"] ?? "", headers: rawHeaders.join("\n"), text };
}
