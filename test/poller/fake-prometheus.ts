import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { anchored, parseSelector } from "../../services/shared/config-selector.js";
import type { Labels } from "../../services/shared/frame.js";

/**
 * As much of Prometheus as the poller asks for, to be broken on purpose; whatever a real one can show is tested with that.
 * Range selectors count their left edge in, as Prometheus before 3.0, unless told otherwise.
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
  /** Samples that it counts and does not show, where it is set. */
  hides: ((labels: Labels, timestamp: number, selector: string) => boolean) | null;
  leftEdge: boolean;
  readonly metadata: Record<string, { type: string }[]>;
  store(labels: Labels, timestamp: number, value: number): void;
  close(): Promise<void>;
}

export async function startFakePrometheus(prefix = ""): Promise<FakePrometheus> {
  const stored = new Map<string, { labels: Labels; samples: Map<number, number> }>();
  const metadata: FakePrometheus["metadata"] = {};
  const requests: FakePrometheus["requests"] = [];

  const selected = (selector: string) => {
    const matchers = parseSelector(selector);
    if (typeof matchers === "string") throw new Error(matchers);
    return [...stored.values()].filter(({ labels }) =>
      matchers.every(({ label, operator, value }) => {
        const text = labels[label] ?? "";
        const isMatch = operator.endsWith("~") ? anchored(value)!.test(text) : text === value;
        return isMatch === !operator.startsWith("!");
      }),
    );
  };

  /** The samples of a range selector at a time, by series. */
  function ranged(text: string, to: number) {
    const [, selector = "", ms] = /^(.+)\[(\d+)ms\]$/.exec(text) ?? [];
    const from = to - Number(ms);
    return selected(selector).flatMap(({ labels, samples }) => {
      const within = [...samples]
        .filter(([timestamp]) => timestamp <= to && (fake.leftEdge ? timestamp >= from : timestamp > from))
        .sort(([a], [b]) => a - b);
      return within.length === 0 ? [] : [{ labels, selector, samples: within }];
    });
  }

  function counts(query: string, to: number): { metric: Labels; value: [number, string] }[] {
    const row = (metric: Labels, count: number) => ({
      metric,
      value: [to / 1_000, String(count)] as [number, string],
    });
    if (query.includes("vector(1)")) return [row({}, fake.leftEdge ? 2 : 1)];
    const summed = [...query.matchAll(/label_replace\(sum\(count_over_time\((.+?\])\)\),"metric","(\d+)"/g)];
    if (summed.length > 0)
      return summed.flatMap(([, range, metric]) => {
        const count = ranged(range, to).reduce((sum, { samples }) => sum + samples.length, 0);
        return count === 0 ? [] : [row({ metric }, count)];
      });
    const [, range = ""] = /^count_over_time\((.+)\)$/.exec(query) ?? [];
    return ranged(range, to).map(({ labels, samples }) => {
      const nameless = Object.entries(labels).filter(([name]) => name !== "__name__");
      return row(Object.fromEntries(nameless), samples.length);
    });
  }

  function data(path: string, form: URLSearchParams): unknown {
    switch (path.replace(/\?.*/, "")) {
      case `${prefix}/api/v1/query`: {
        const query = form.get("query") ?? "";
        const to = Math.round(Number(form.get("time")) * 1_000);
        if (query.includes("count_over_time")) return { resultType: "vector", result: counts(query, to) };
        const result = ranged(query, to).flatMap(({ labels, selector, samples }) => {
          const shown = samples.filter(([timestamp]) => fake.hides?.(labels, timestamp, selector) !== true);
          const values = shown.map(([timestamp, value]) => [timestamp / 1_000, printed(value)]);
          return values.length === 0 ? [] : [{ metric: labels, values }];
        });
        return { resultType: "matrix", result };
      }
      case `${prefix}/api/v1/label/__name__/values`: {
        const selector = new URL(path, "http://fake").searchParams.get("match[]") ?? "";
        return [...new Set(selected(selector).map(({ labels }) => labels["__name__"]))];
      }
      case `${prefix}/api/v1/series`:
        return form.getAll("match[]").flatMap((selector) => selected(selector).map(({ labels }) => labels));
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
    hides: null,
    leftEdge: true,
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
