/** A real HTTP server that plays receivers and origins: it remembers what it was sent, and fails as it is told. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** How one request is answered. */
export type Behaviour =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Never. */
  | "hang"
  /** The connection is cut before, or in the middle of, the answer's headers or its body. */
  | "reset"
  | "reset-in-headers"
  | "reset-in-body"
  /** A header line now and then, without an end. */
  | "slow-headers";

/** One request as it came. */
export interface Received {
  path: string;
  method: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Paths of the server's own door; everything else is a receiver. */
export const DOOR = "/__door";

export class ReceiverServer {
  readonly #received: Received[] = [];
  readonly #scripts = new Map<string, Behaviour[]>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((req, res) => void this.#serve(req, res));

  static async start(): Promise<ReceiverServer> {
    const receivers = new ReceiverServer();
    receivers.#server.on("connection", (socket) => {
      receivers.#sockets.add(socket);
      socket.once("close", () => receivers.#sockets.delete(socket));
    });
    await new Promise<void>((done) => receivers.#server.listen(0, "127.0.0.1", done));
    return receivers;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { url = "", method = "", headers } = req;
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (url.startsWith(DOOR)) return this.#door(new URL(url, "http://door"), method, body, res);
    this.#received.push({ path: url, method, headers, body });
    const script = this.#scripts.get(url) ?? [];
    this.#answer((script.length > 1 ? script.shift() : script[0]) ?? { status: 200 }, res);
  }

  #answer(behaviour: Behaviour, res: ServerResponse): void {
    if (typeof behaviour === "object") {
      res.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? "");
      return;
    }
    const socket = res.socket!;
    switch (behaviour) {
      case "hang":
        return;
      case "reset":
        socket.destroy();
        return;
      case "reset-in-headers":
        socket.write("HTTP/1.1 200 OK\r\nContent-Le", () => socket.destroy());
        return;
      case "reset-in-body":
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it", () => socket.destroy());
        return;
      case "slow-headers": {
        socket.write("HTTP/1.1 200 OK\r\n");
        const drip = setInterval(() => socket.write("x-slow: 1\r\n"), 20);
        socket.once("close", () => clearInterval(drip));
      }
    }
  }

  /** `GET ?prefix=` tells what came, `PUT ?path=` sets a script whose last entry stays. */
  #door({ searchParams }: URL, method: string, body: string, res: ServerResponse): void {
    const path = searchParams.get("path") ?? "";
    if (method === "PUT") this.#scripts.set(path, JSON.parse(body) as Behaviour[]);
    const prefix = searchParams.get("prefix") ?? path;
    res.end(JSON.stringify(this.#received.filter((r) => r.path.startsWith(prefix))));
  }
}
