/** An origin on loopback that keeps a log of what it was asked and behaves as it is told. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { visitorOf } from "./visitors.ts";

/** Body of every answer: short, so that the router and not the copying of bytes is measured. */
const BODY = "0123456789abcdef".repeat(4);

/** One request as the origin saw it. */
export interface Seen {
  /** Number of the visitor, -1 without a cookie. */
  visitor: number;
  /** Variant that the router meant, from `x-greenlight-variant`. */
  variant: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Answers with a status, now or later. */
export type Behaviour = (seen: Seen) => number | Promise<number>;

export interface Origin {
  readonly url: string;
  /** Requests so far. */
  served: number;
  /** Each request, where the origin was asked to keep them. */
  readonly log: Seen[];
  behave: Behaviour;
  stop(): Promise<void>;
}

/** Starts an origin that answers 200. `keep` makes it remember each request. */
export async function startOrigin(colour: "blue" | "green", keep = false): Promise<Origin> {
  const log: Seen[] = [];
  const server = createServer(async (request, response) => {
    origin.served++;
    const seen = seenIn(request);
    if (keep) log.push(seen);
    const status = origin.behave(seen);
    response.writeHead(typeof status === "number" ? status : await status, {
      "content-type": "text/plain",
      "cache-control": "private, max-age=0",
      "content-length": BODY.length,
      "x-colour": colour,
    });
    response.end(BODY);
  });
  // The router keeps connections open; closing them under it would count as its failures.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin: Origin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served: 0,
    log,
    behave: () => 200,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return origin;
}

function seenIn(request: IncomingMessage): Seen {
  return {
    visitor: visitorOf(request.headers.cookie),
    variant: String(request.headers["x-greenlight-variant"] ?? ""),
    at: Date.now(),
  };
}
