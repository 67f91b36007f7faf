/** An origin of the demo: a plain HTTP server that names its colour and release, counts, and fails when told to. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One of the two origins. */
export class DemoOrigin {
  readonly colour: "blue" | "green";
  release: string;
  /** While true every request is answered 503. */
  failing = false;
  /** Requests since the start. */
  requests = 0;
  #server: Server;

  private constructor(colour: "blue" | "green", release: string) {
    this.colour = colour;
    this.release = release;
    this.#server = createServer((_req, res) => {
      this.requests++;
      res.writeHead(this.failing ? 503 : 200, { "content-type": "text/html", "cache-control": "no-store" });
      res.end(this.colour);
    });
  }

  static async start(colour: "blue" | "green", release: string): Promise<DemoOrigin> {
    const origin = new DemoOrigin(colour, release);
    await new Promise<void>((done) => origin.#server.listen(0, "127.0.0.1", done));
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
