import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";

export interface FakeRequest {
  path: string;
  headers: IncomingMessage["headers"];
  lines: string[];
}

/** What the server does with one request; undefined: as InfluxDB does when all is well. */
export type Fault = (request: FakeRequest, response: ServerResponse) => void;

/** An HTTP server that breaks as it is told: for faults that the real one cannot be brought to. */
export interface FakeInfluxDb {
  url: string;
  requests: FakeRequest[];
  /** How often each line was acknowledged or written in spite of an error. */
  written: Map<string, number>;
  /** The faults of the next requests, in order; then `always`. */
  faults: (Fault | undefined)[];
  always: Fault | undefined;
  underWay: () => number;
  underWayMax: () => number;
  close: () => Promise<void>;
}

export async function startFakeInfluxDb(): Promise<FakeInfluxDb> {
  let underWay = 0;
  let underWayMax = 0;
  const server = createServer((request, response) => {
    underWayMax = Math.max(underWayMax, ++underWay);
    response.once("close", () => underWay--);
    const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
    text(body).then(
      (all) => {
        const lines = all === "" ? [] : all.split("\n");
        const seen = { path: request.url ?? "", headers: request.headers, lines };
        fake.requests.push(seen);
        const fault = fake.faults.length > 0 ? fake.faults.shift() : fake.always;
        (fault ?? accept)(seen, response);
      },
      () => undefined,
    );
  });
  const accept: Fault = (request, response) => {
    record(fake, request.lines);
    response.writeHead(204).end();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeInfluxDb = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    written: new Map(),
    faults: [],
    always: undefined,
    underWay: () => underWay,
    underWayMax: () => underWayMax,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

export function record(fake: FakeInfluxDb, lines: readonly string[]): void {
  for (const line of lines) fake.written.set(line, (fake.written.get(line) ?? 0) + 1);
}

/** InfluxDB's own form of an error. */
export function answer(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Fault {
  return (_, response) => {
    response
      .writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers })
      .end(JSON.stringify({ code, message }));
  };
}

/** A proxy's page, or another server altogether. */
export function page(status: number, body = "<html>no InfluxDB here</html>"): Fault {
  return (_, response) => {
    response.writeHead(status, { "content-type": "text/html" }).end(body);
  };
}

export const reset: Fault = (_, response) => {
  response.destroy();
};

/** Never answers. */
export const silence: Fault = () => undefined;
