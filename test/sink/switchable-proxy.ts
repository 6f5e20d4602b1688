import { type Server, type Socket, connect, createServer } from "node:net";

/** A port that leads to a server, and can be shut: connections are then cut, and new ones refused. */
export interface SwitchableProxy {
  readonly port: number;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openProxy(target: URL): Promise<SwitchableProxy> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  };
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const listening = createServer((client) => {
        const upstream = connect(Number(target.port), target.hostname);
        keep(client);
        keep(upstream);
        client.pipe(upstream).pipe(client);
        client.on("close", () => upstream.destroy());
        upstream.on("close", () => client.destroy());
      });
      server = listening;
      listening.once("error", reject);
      listening.listen(port, "127.0.0.1", () => resolve((listening.address() as { port: number }).port));
    });
  const port = await listen(0);
  return {
    port,
    open: async () => {
      await listen(port);
    },
    close: async () => {
      const closing = server;
      if (closing === undefined) return;
      server = undefined;
      const closed = new Promise((resolve) => closing.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
