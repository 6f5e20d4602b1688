import { readFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../shared/config-schema.js";
import { MillraceError, asMillraceError } from "../../shared/errors.js";
import type { Logger } from "../../shared/telemetry.js";
import { type Answer, refused, send, unavailable } from "./answer.js";
import { authorizationScheme, createAuthorization } from "./credentials.js";
import { type Protocol, protocolOf } from "./message-type.js";
import { createReadBody } from "./read-body.js";
import type { ReceiveRequest } from "./receive-request.js";
import type { ReceiverMetrics } from "./receiver-metrics.js";
import { RefusedRequest } from "./refusals.js";

/** Where Prometheus's own receiver listens, too. */
export const WRITE_PATH = "/api/v1/write";

/** Prometheus has one connection a shard, 50 at the most by default. */
const CONNECTIONS_MAX = 1_000;
/** Longer than Prometheus leaves connections idle, 5 min: who closes first might do so while a request is on its way. */
const KEEP_ALIVE_MS = 360_000;
/** For headers and body together; Prometheus itself gives up after 30 s. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** For senders to take their answers when the server closes; who does not, sends again. */
const LAST_ANSWERS_MS = 1_000;

export interface WriteServer {
  readonly port: number;
  /** Answers whatever comes from now on with 503, and takes no new connections. */
  readonly refuse: () => void;
  /** Closes all connections, once what was answered is on its way. */
  readonly close: () => Promise<void>;
}

export interface WriteServerOptions {
  readonly settings: Config["extract"]["remote_write"];
  readonly receive: ReceiveRequest;
  readonly metrics: ReceiverMetrics;
  readonly logger: Logger;
  readonly requestTimeoutMs?: number;
}

/** Serves remote write. Rejects with PORT_IN_USE, CONFIG_INVALID or CONFIG_UNREADABLE. */
export async function openWriteServer(options: WriteServerOptions): Promise<WriteServer> {
  const { settings, metrics, logger } = options;
  const scheme = authorizationScheme(settings);
  const steps = {
    isAuthorized: createAuthorization(settings),
    readBody: createReadBody(settings.request_bytes_max),
    receive: options.receive,
  };
  const told = new Set<number>();
  const underWay = new Set<Promise<void>>();
  let isRefusing = false;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endTimer = metrics.duration.startTimer();
    let protocol: Protocol | "none" = "none";
    let answer: Answer;
    try {
      if (isRefusing) throw new RefusedRequest(503, "stopping", "The receiver is stopping.");
      protocol = admitted(request, steps.isAuthorized);
      answer = await steps.receive(protocol, await steps.readBody(request));
    } catch (error) {
      answer = failed(error);
    }
    endTimer({ protocol });
    metrics.requests.inc({ protocol, status: answer.status });
    if (answer.message !== null) tell(answer.status, answer.message);
    send(response, answer);
    if (!response.closed) await new Promise<void>((resolve) => response.once("close", resolve));
  }

  function failed(error: unknown): Answer {
    if (error instanceof RefusedRequest) {
      metrics.refusedRequests.inc({ reason: error.reason });
      return refused(error, scheme === null ? null : `${scheme} realm="remote write"`);
    }
    const { code, message } = asMillraceError(error);
    logger.error({ event: "remote_write.failed", code }, message);
    return unavailable("The request could not be looked at.");
  }

  /**
   * What may be lost, each status once as a warning: what a sender does wrong, it does all the time, and the metrics count
   * it. What is to be sent again is told of by what it waits for.
   */
  function tell(status: number, message: string): void {
    const level = status >= 500 || told.has(status) ? "debug" : "warn";
    told.add(status);
    logger[level]({ event: "remote_write.not_written", status }, message);
  }

  const server = createHttpServer(options);
  server.maxConnections = CONNECTIONS_MAX;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const responding = respond(request, response).finally(() => underWay.delete(responding));
    underWay.add(responding);
  });
  const port = await listen(server, settings);
  logger.info({ event: "remote_write.listening", host: settings.host, port, path: WRITE_PATH });
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  return {
    port,
    refuse: () => {
      isRefusing = true;
      server.close();
      server.closeIdleConnections();
    },
    close: async () => {
      server.close();
      await Promise.race([Promise.all(underWay), sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The protocol of a request whose body may be read. Throws RefusedRequest. */
function admitted(
  { url, method, headers }: IncomingMessage,
  isAuthorized: (authorization: string | undefined) => boolean,
): Protocol {
  if (!isAuthorized(headers.authorization))
    throw new RefusedRequest(401, "unauthorized", "The credentials are missing or others than these.");
  if (url?.split("?")[0] !== WRITE_PATH)
    throw new RefusedRequest(404, "no_such_path", `Remote write is received at ${WRITE_PATH}.`);
  if (method !== "POST") throw new RefusedRequest(405, "not_post", "Remote write is sent by POST.");
  return protocolOf(headers);
}

function createHttpServer({ settings, requestTimeoutMs = REQUEST_TIMEOUT_MS }: WriteServerOptions): Server {
  const timeouts = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(requestTimeoutMs, HEADERS_TIMEOUT_MS),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1_000),
  };
  const { tls } = settings;
  if (tls === undefined) return createServer(timeouts);
  const senders =
    tls.client_ca_file === undefined ? {} : { ca: readPem(tls.client_ca_file), requestCert: true };
  return createTlsServer({
    ...timeouts,
    cert: readPem(tls.cert_file),
    key: readPem(tls.key_file),
    ...senders,
  });
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new MillraceError("CONFIG_UNREADABLE", `${file} cannot be read (${reason}).`, { cause: error });
  }
}

function listen(server: Server, { host, port }: Config["extract"]["remote_write"]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      const isInUse = code === "EADDRINUSE";
      const words = isInUse
        ? `Port ${port}, for remote write, is in use.`
        : `Remote write cannot be received at extract.remote_write.host ${host}, port ${port}: ${message}.`;
      reject(new MillraceError(isInUse ? "PORT_IN_USE" : "CONFIG_INVALID", words));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
