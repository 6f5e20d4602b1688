import { type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

export interface SlowProxy {
  readonly url: string;
  readonly requestsUnderWay: () => number;
  readonly close: () => Promise<void>;
}

/** Passes on to a server what comes, and its answers, each so much later. */
export async function startSlowProxy(target: string, delayMs: number): Promise<SlowProxy> {
  let underWay = 0;
  const server = createServer((asked, answered) => {
    underWay++;
    answered.once("close", () => underWay--);
    const { method, headers, url = "/" } = asked;
    const onward = request(new URL(url, target), { method, headers, agent: false }, (answer) => {
      setTimeout(() => {
        answered.writeHead(answer.statusCode!, answer.headers);
        pipeline(answer, answered, breakOff(answered));
      }, delayMs);
    });
    setTimeout(() => pipeline(asked, onward, breakOff(answered)), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requestsUnderWay: () => underWay,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Who asked may have been killed meanwhile. */
function breakOff(answered: ServerResponse) {
  return (error: unknown) => {
    if (error) answered.destroy();
  };
}
