import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Logger, pino } from "pino";
import { Registry, collectDefaultMetrics } from "prom-client";
import { MillraceError } from "./errors.js";

export type { Logger } from "pino";

/** Logs are JSON lines on standard error; every line has `service` and a stable `event` name. */
export function createLogger(service: string, level: string): Logger {
  return pino(
    { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}

export interface Telemetry {
  /** The service's metrics; names begin with `millrace_<service>_` and end in their unit. */
  readonly metrics: Registry;
  /** Says why the service is not ready; null: this condition is met. Ready is when no condition stands. */
  readonly setReadiness: (condition: string, reason: string | null) => void;
  /** Adds a page of the service's own at an exact path. */
  readonly serve: (path: string, listener: RequestListener) => void;
  /** Serves /metrics, /healthz, /readyz and what was added. Rejects with PORT_IN_USE or CONFIG_INVALID. Resolves to the port. */
  readonly listen: (host: string, port: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

export function createTelemetry(service: string): Telemetry {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  const pages = new Map<string, RequestListener>();
  const conditions = new Map<string, string>([["start", "starting"]]);

  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    const json = (status: number, value: unknown) =>
      answer(status, "application/json", `${JSON.stringify(value)}\n`);
    const path = request.url?.split("?")[0] ?? "/";
    switch (path) {
      case "/metrics":
        metrics.metrics().then(
          (text) => answer(200, metrics.contentType, text),
          (error: unknown) => answer(500, "text/plain", String(error)),
        );
        return;
      case "/healthz":
        json(200, { service, live: true });
        return;
      case "/readyz":
        json(conditions.size === 0 ? 200 : 503, {
          service,
          ready: conditions.size === 0,
          reasons: Object.fromEntries(conditions),
        });
        return;
      default: {
        const known = ["/metrics", "/healthz", "/readyz", ...pages.keys()].join(" ");
        const page = pages.get(path) ?? (() => answer(404, "text/plain", `Known: ${known}\n`));
        page(request, response);
      }
    }
  });

  return {
    metrics,
    setReadiness: (condition, reason) => {
      if (reason === null) conditions.delete(condition);
      else conditions.set(condition, reason);
    },
    serve: (path, listener) => pages.set(path, listener),
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", ({ code, message }: NodeJS.ErrnoException) => {
          const isInUse = code === "EADDRINUSE";
          const words = isInUse
            ? `Port ${port}, for the telemetry of the ${service}, is in use.`
            : `The telemetry of the ${service} cannot be served at telemetry.host ${host}, port ${port}: ${message}.`;
          reject(new MillraceError(isInUse ? "PORT_IN_USE" : "CONFIG_INVALID", words));
        });
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
