import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Labels } from "../../services/shared/frame.js";

/**
 * As much of Prometheus as the poller asks for, to be broken on purpose; whatever a real one can show is tested with that.
 * Selectors are metric names. Range selectors count their left edge in, as Prometheus before 3.0.
 */
export interface FakePrometheus {
  readonly url: string;
  /** `METHOD path form` of each request. */
  readonly requests: {
    method: string;
    path: string;
    form: URLSearchParams;
    authorization: string | undefined;
  }[];
  /** Takes a request over where it is set and returns true. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  readonly metadata: Record<string, { type: string }[]>;
  store(labels: Labels, timestamp: number, value: number): void;
  close(): Promise<void>;
}

export async function startFakePrometheus(prefix = ""): Promise<FakePrometheus> {
  const stored = new Map<string, { labels: Labels; samples: Map<number, number> }>();
  const metadata: FakePrometheus["metadata"] = {};
  const requests: FakePrometheus["requests"] = [];

  const named = (selector: string) =>
    [...stored.values()].filter(({ labels }) => labels["__name__"] === selector);

  function data(path: string, form: URLSearchParams): unknown {
    switch (path) {
      case `${prefix}/api/v1/query`: {
        const [, selector, ms] = /^(.+)\[(\d+)ms\]$/.exec(form.get("query") ?? "") ?? [];
        const to = Math.round(Number(form.get("time")) * 1_000);
        const result = named(selector).flatMap(({ labels, samples }) => {
          const values = [...samples]
            .filter(([timestamp]) => timestamp >= to - Number(ms) && timestamp <= to)
            .sort(([a], [b]) => a - b)
            .map(([timestamp, value]) => [timestamp / 1_000, printed(value)]);
          return values.length === 0 ? [] : [{ metric: labels, values }];
        });
        return { resultType: "matrix", result };
      }
      case `${prefix}/api/v1/series`:
        return form.getAll("match[]").flatMap((selector) => named(selector).map(({ labels }) => labels));
      case `${prefix}/api/v1/metadata`:
        return metadata;
      case `${prefix}/api/v1/status/buildinfo`:
        return { version: "0.0.0" };
      default:
        return undefined;
    }
  }

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? "";
      const form = new URLSearchParams(body);
      const { method = "", headers } = request;
      requests.push({ method, path, form, authorization: headers.authorization });
      if (fake.fault?.(request, response) === true) return;
      const answer = data(path, form);
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(
        answer === undefined ? "404 page not found" : JSON.stringify({ status: "success", data: answer }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const fake: FakePrometheus = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    requests,
    metadata,
    fault: null,
    store: (labels, timestamp, value) => {
      const key = JSON.stringify(labels);
      const series = stored.get(key) ?? { labels, samples: new Map<number, number>() };
      stored.set(key, series);
      series.samples.set(timestamp, value);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

function printed(value: number): string {
  if (value === Infinity) return "+Inf";
  return Object.is(value, -0) ? "-0" : String(value).replace("Infinity", "Inf");
}

/** An error as Prometheus's API words it. */
export function refuse(
  response: ServerResponse,
  status: number,
  errorType: string,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ status: "error", errorType, error: `a case of ${errorType}` }));
  return true;
}
