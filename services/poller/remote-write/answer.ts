import type { ServerResponse } from "node:http";
import type { RefusedRequest, RequestRefusal } from "./refusals.js";

/** What a sender is told. */
export interface Answer {
  readonly status: number;
  /** Why it is no success, for the sender to log; null for a success. */
  readonly message: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Samples of the request that are in Kafka now; nothing else is ever kept. */
  readonly samplesWritten: number;
}

/** How long a sender should wait: where more came than can be kept up with, and where something is away. */
const BUSY_RETRY_S = 1;
const AWAY_RETRY_S = 5;

export function written(samples: number): Answer {
  return { status: 204, message: null, samplesWritten: samples };
}

/** Some of the request will never be written, and the rest is: it must not come again. */
export function partlyWritten(samples: number, message: string): Answer {
  return { status: 400, message, samplesWritten: samples };
}

/** More waits than may. Senders may drop what gets a 429, so it is for their own excess only. */
export function tooMuch(message: string): Answer {
  return retryLater(429, BUSY_RETRY_S, message);
}

/** Senders must send again what gets a 5xx. */
export function unavailable(message: string): Answer {
  return retryLater(503, AWAY_RETRY_S, message);
}

function retryLater(status: number, seconds: number, message: string): Answer {
  return { status, message, headers: { "retry-after": String(seconds) }, samplesWritten: 0 };
}

const refusalHeaders: Partial<Record<RequestRefusal, Readonly<Record<string, string>>>> = {
  not_post: { allow: "POST" },
  busy: { "retry-after": String(BUSY_RETRY_S) },
  stopping: { "retry-after": String(AWAY_RETRY_S), connection: "close" },
};

export function refused({ status, reason, message }: RefusedRequest, challenge: string | null): Answer {
  const headers =
    status === 401 && challenge !== null ? { "www-authenticate": challenge } : refusalHeaders[reason];
  return { status, message, samplesWritten: 0, ...(headers === undefined ? {} : { headers }) };
}

/** The Written headers come with every answer: without them a sender of 2.0 takes a success for an older receiver's. */
export function send(response: ServerResponse, { status, message, headers, samplesWritten }: Answer): void {
  response.writeHead(status, {
    ...headers,
    "x-prometheus-remote-write-samples-written": String(samplesWritten),
    "x-prometheus-remote-write-histograms-written": "0",
    "x-prometheus-remote-write-exemplars-written": "0",
    ...(message === null ? {} : { "content-type": "text/plain; charset=utf-8" }),
  });
  response.end(message === null ? undefined : `${message}\n`);
}
