import { type RequestListener, createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import type { TestContext } from "node:test";

/** Servers of a test's own on free ports of 127.0.0.1; they and their connections end with the test. */
export interface LocalServers {
  /** Resolves to the port. */
  readonly http: (answer: RequestListener) => Promise<number>;
  readonly tcp: (onConnection: (socket: Socket) => void) => Promise<number>;
}

export function localServers(t: TestContext): LocalServers {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listen = async (server: Server) => {
    servers.push(server);
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });
  return {
    http: (answer) => listen(createHttpServer(answer)),
    tcp: (onConnection) => listen(createServer(onConnection)),
  };
}
