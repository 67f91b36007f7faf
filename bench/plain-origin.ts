/** The fastest origin that Node can be: one canned answer per GET, so that the router and not the origin sets the pace. */
import { type AddressInfo, createServer, type Socket } from "node:net";

const BODY = "0123456789abcdef".repeat(4);
const HEAD_END = "\r\n\r\n";

/** Starts it on loopback. It understands requests without a body only. */
export async function startPlainOrigin(
  colour: "blue" | "green",
): Promise<{ url: string; stop(): Promise<void> }> {
  const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncache-control: private, max-age=0\r\ncontent-length: ${BODY.length}\r\nx-colour: ${colour}\r\n\r\n${BODY}`;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    let rest = "";
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text) => {
      const heads = (rest + String(text)).split(HEAD_END);
      rest = heads.pop()!;
      if (heads.length > 0) socket.write(answer.repeat(heads.length));
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
