/** One keep-alive HTTP/1.1 connection on loopback, as lean as a load generator needs it: one request at a time. */
import { connect, type Socket } from "node:net";

/** What came back. `status` is 0 where the connection broke. */
export interface Reply {
  status: number;
  /** Header lines as they came, without the status line. */
  head: string;
  /** Milliseconds from the request to the end of the answer. */
  ms: number;
}

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #buffer = "";
  #settle: ((reply: Reply) => void) | undefined;
  #sentAt = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request given as text, blank line included, and waits for all of the answer. */
  async ask(request: string): Promise<Reply> {
    this.#socket ??= this.#open();
    this.#buffer = "";
    this.#sentAt = performance.now();
    const reply = new Promise<Reply>((resolve) => {
      this.#settle = resolve;
    });
    this.#socket.write(request);
    return reply;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect(this.#port, "127.0.0.1");
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text) => this.#read(String(text)));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#done(0, "");
    });
    return socket;
  }

  #read(text: string): void {
    this.#buffer += text;
    const end = this.#buffer.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#buffer.slice(0, end);
    if (!isWhole(head, this.#buffer.length - end - HEAD_END.length, this.#buffer)) return;
    const line = head.indexOf("\r\n");
    this.#done(Number(head.slice(9, 12)), line < 0 ? "" : head.slice(line + 2));
  }

  #done(status: number, head: string): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.({ status, head, ms: performance.now() - this.#sentAt });
  }
}

/** Has all of the body come? The origins of the benches send a length; the router's own problems may be chunked. */
function isWhole(head: string, got: number, all: string): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (length) return got >= Number(length[1]);
  return !/\r\ntransfer-encoding: *chunked/i.test(head) || all.endsWith(LAST_CHUNK);
}
