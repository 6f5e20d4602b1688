import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** An address before a real server's that can go away: connections are cut, and new ones refused. */
export interface FaultyTcp {
  /** Where `target` is reached through it, with the same path. */
  readonly url: string;
  readonly goAway: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openFaultyTcp(target: string): Promise<FaultyTcp> {
  const { hostname, port: targetPort, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  const remember = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    const upstream = remember(connect(Number(targetPort), hostname));
    remember(client).pipe(upstream).pipe(client);
    // One side gone, for whatever reason, is the other gone.
    client.once("error", () => upstream.destroy()).once("close", () => upstream.destroy());
    upstream.once("error", () => client.destroy()).once("close", () => client.destroy());
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  const goAway = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${pathname}`,
    goAway,
    comeBack: async () => {
      if (!server.listening) await listen(port);
    },
    close: async () => {
      if (server.listening) await goAway();
    },
  };
}
