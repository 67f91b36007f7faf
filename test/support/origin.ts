/** A real origin on loopback that remembers what it was asked, down to the raw bytes of path and headers. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

/** One request as the origin saw it. */
export interface Seen {
  method: string;
  /** Path and query, byte for byte. */
  target: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** A running origin. Its default answer is its name. */
export class Origin {
  readonly name: string;
  readonly seen: Seen[] = [];
  /** Answers instead of the default, while set. */
  handler: Handler | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer((req, res) => {
      const { method = "", url = "", headers, rawHeaders } = req;
      this.seen.push({ method, target: url, headers, rawHeaders });
      if (this.handler) return this.handler(req, res);
      res.writeHead(200, { "content-type": "text/plain", "cache-control": "no-store" }).end(this.name);
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(name: string, port = 0): Promise<Origin> {
    const origin = new Origin(name);
    await new Promise<void>((done) => origin.#server.listen(port, "127.0.0.1", done));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Takes WebSockets from now on. */
  sockets(onSocket: (socket: WebSocket) => void, options: { protocol?: string } = {}): void {
    const { protocol } = options;
    const server = new WebSocketServer({
      server: this.#server,
      ...(protocol !== undefined && { handleProtocols: () => protocol }),
    });
    server.on("connection", onSocket);
  }

  /** Forgets what was seen and answers by default again. */
  reset(): void {
    this.seen.length = 0;
    this.handler = undefined;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}
