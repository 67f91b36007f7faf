/** The channel of the demo: a receiver of Slack's form that keeps what it was told. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class DemoChannel {
  /** What was told, in order. */
  readonly lines: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (req, res) => {
      let body = "";
      for await (const chunk of req) body += chunk;
      this.lines.push((JSON.parse(body) as { text: string }).text);
      res.end("ok");
    });
  }

  static async start(): Promise<DemoChannel> {
    const channel = new DemoChannel();
    await new Promise<void>((done) => channel.#server.listen(0, "127.0.0.1", done));
    return channel;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
