import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What the real server said. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** What is done to each answer of the real server before the client gets it. */
export type Fault = (answer: Answer) => Answer | Promise<Answer>;

export const passThrough: Fault = (answer) => answer;

/** The answer comes, and is right, but later. */
export function late(ms: number): Fault {
  return async (answer) => {
    await sleep(ms);
    return answer;
  };
}

export const answer500: Fault = () => ({ status: 500, body: Buffer.from("upstream connect error") });

/** The first half of the text, as if that were all of it. */
export const truncated: Fault = ({ status, body }) => ({
  status,
  body: body.subarray(0, body.length >> 1),
});

/** Prometheus's own way to say that a block could not be read: half of the series are missing, and it warns. */
export const incomplete: Fault = ({ status, body }) => {
  const answer = JSON.parse(body.toString()) as { data: { result?: unknown[] } };
  if (Array.isArray(answer.data.result)) {
    const { result } = answer.data;
    result.length >>= 1;
  }
  return {
    status,
    body: Buffer.from(JSON.stringify({ ...answer, warnings: ["a block could not be read"] })),
  };
};

/** Half of the series of raw samples, and not a word of it, as a proxy between may do. */
export const silentlyIncomplete: Fault = ({ status, body }) => {
  const answer = JSON.parse(body.toString()) as { data: { resultType?: string; result?: unknown[] } };
  if (answer.data.resultType === "matrix" && answer.data.result !== undefined)
    answer.data.result.length >>= 1;
  return { status, body: Buffer.from(JSON.stringify(answer)) };
};

/** An HTTP server before a real one: passes on what it is asked, and does a fault to each answer. */
export interface FaultyHttp {
  readonly url: string;
  /** The fault from now on. */
  readonly set: (fault: Fault) => void;
  readonly close: () => Promise<void>;
}

export async function openFaultyHttp(target: string): Promise<FaultyHttp> {
  let fault = passThrough;
  const server = createServer((incoming, outgoing) => {
    answerOf(target, incoming)
      .then((answer) => fault(answer))
      .then(
        (answer) => send(outgoing, answer),
        // The real server has hung up; so does this one.
        () => outgoing.destroy(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (next) => (fault = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answerOf(target: string, incoming: IncomingMessage): Promise<Answer> {
  const { method, url = "/", headers } = incoming;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // A fault is done to text.
    const plain = { ...headers, "accept-encoding": "identity" };
    const outgoing = request(new URL(url, target), { method, headers: plain }, resolve);
    outgoing.once("error", reject);
    incoming.pipe(outgoing);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode!, body: Buffer.concat(chunks) };
}

function send(outgoing: ServerResponse, { status, body }: Answer): void {
  outgoing.writeHead(status, { "content-type": "application/json", "content-length": body.length }).end(body);
}
