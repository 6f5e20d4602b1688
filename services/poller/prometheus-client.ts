import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { type Dispatcher, Pool } from "undici";
import { readSecret } from "../shared/config.js";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import { retryAfterMs } from "../shared/retry-after.js";
import type { Labels } from "../shared/frame.js";
import {
  type InstantValue,
  type MetricFamily,
  type Matrix,
  type SeriesSamples,
  excerpt,
  parseAnswer,
  parseFamilies,
  parseLabelSets,
  parseLabelValues,
  parseMatrix,
  parseMetadata,
  parseVector,
} from "./prometheus-answer.js";
import type { SourceConfig } from "../shared/sources.js";
import { createRateLimit } from "./rate-limit.js";
import type { Window } from "./window.js";

export interface SamplesAnswer extends Matrix {
  /** When the query began by Prometheus's own clock, or up to a second before; Infinity where it does not say. */
  readonly serverTime: number;
}

/**
 * Prometheus's HTTP API, as far as raw samples need it. All calls throw MillraceError with a PROM_ code, after the retries
 * of the configuration where its code may be retried; a call that `signal` cuts short throws the signal's reason.
 */
export interface PrometheusClient {
  /** The raw samples of an instant selector in a window, with their stored timestamps. Never stale markers. */
  samples(selector: string, window: Window, signal: AbortSignal): Promise<SamplesAnswer>;
  /** The value of an expression at a time, of its series that are floats. The expression must come to an instant vector. */
  instant(query: string, atMs: number, signal: AbortSignal): Promise<InstantValue[]>;
  /** The values of an expression at `window.from + stepMs`, and so on up to `window.to`: no more than 11,000 times. */
  range(query: string, window: Window, stepMs: number, signal: AbortSignal): Promise<SeriesSamples[]>;
  /** The values that a label has among the series that a selector matches in a window, or beside it. */
  labelValues(label: string, selector: string, window: Window, signal: AbortSignal): Promise<string[]>;
  /** The label sets of all series that a selector matches in a window, or beside it: blocks are not cut. */
  series(selectors: readonly string[], window: Window, signal: AbortSignal): Promise<Labels[]>;
  /** The type word of each metric family that a target exposes now. */
  metadata(signal: AbortSignal): Promise<Map<string, string>>;
  /** What the targets say of a metric, or of the family that its name is made of; null where they say nothing. */
  family(metric: string, signal: AbortSignal): Promise<MetricFamily | null>;
  /** Prometheus's version. */
  version(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/**
 * A hundred million samples in a poll would be 3 GB of text; what one query holds is bounded, and the window is halved
 * instead. 128 MiB are some 4 million samples, a second of parsing, and well under the longest string of V8 (512 MiB).
 */
const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

export function connectPrometheus(
  config: SourceConfig,
  options: {
    now: () => number;
    firstRetryMs?: number;
    maxResponseBytes?: number;
    /** Is told of each query, retries among them, whether it succeeded. */
    onQuery?: (succeeded: boolean) => void;
  },
): PrometheusClient {
  const { origin, pathname } = new URL(config.url);
  const prefix = pathname.replace(/\/$/, "");
  const timeoutMs = config.timeout * 1_000;
  const maxBytes = options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
  const pool = new Pool(origin, {
    connections: config.max_concurrent_queries,
    connect: {
      timeout: timeoutMs,
      ...(config.tls?.ca_file === undefined ? {} : { ca: readFileSync(config.tls.ca_file) }),
      ...(config.tls?.cert_file === undefined ? {} : { cert: readFileSync(config.tls.cert_file) }),
      ...(config.tls?.key_file === undefined ? {} : { key: readFileSync(config.tls.key_file) }),
    },
  });
  const takeToken = createRateLimit(config.rate_limit, options.now);

  /** One attempt. */
  async function request<Data>(
    path: string,
    form: URLSearchParams | null,
    parse: (data: unknown) => Data,
    signal: AbortSignal,
  ) {
    await takeToken(signal);
    const headers = authorization(config);
    const startedAt = performance.now();
    const response = await withTimeout(timeoutMs, signal, async (either) => {
      const {
        statusCode,
        headers: answered,
        body,
      } = await pool.request({
        path: `${prefix}${path}`,
        method: form === null ? "GET" : "POST",
        headers:
          form === null ? headers : { ...headers, "content-type": "application/x-www-form-urlencoded" },
        body: form === null ? null : form.toString(),
        signal: either,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      return { statusCode, headers: answered, text: await readText(body, maxBytes) };
    });
    if (response.statusCode !== 200)
      throw refusal(response.statusCode, response.headers, response.text, options.now());
    const elapsedMs = performance.now() - startedAt;
    const date = Date.parse(String(response.headers["date"]));
    return {
      data: parse(parseAnswer(response.text)),
      serverTime: Number.isNaN(date) ? Infinity : Math.floor(date - elapsedMs),
    };
  }

  async function call<Data>(
    path: string,
    form: URLSearchParams | null,
    parse: (data: unknown) => Data,
    signal: AbortSignal,
  ) {
    const attempt = async () => {
      try {
        const answer = await request(path, form, parse, signal);
        options.onQuery?.(true);
        return answer;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        options.onQuery?.(false);
        throw failure(error, config.url);
      }
    };
    return pRetry(attempt, {
      retries: config.retry_attempts,
      minTimeout: options.firstRetryMs ?? 250,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => error instanceof MillraceError && error.retryable,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (!(error instanceof MillraceError) || error.retryAfterMs === undefined || retriesLeft === 0)
          return;
        // A longer wait is the caller's: a poll that sleeps for minutes cannot say why.
        if (error.retryAfterMs > timeoutMs) throw error;
        await sleep(error.retryAfterMs, undefined, { signal });
      },
    });
  }

  async function query<Data>(
    promql: string,
    atMs: number,
    parse: (data: unknown) => Data,
    signal: AbortSignal,
  ) {
    const timeout = `${Math.round(timeoutMs)}ms`;
    const form = new URLSearchParams({ query: promql, time: seconds(atMs), timeout });
    return call("/api/v1/query", form, parse, signal);
  }

  return {
    samples: async (selector, window, signal) => {
      const promql = `${selector}[${window.to - window.from}ms]`;
      const parse = (data: unknown) => parseMatrix(data, window);
      const { data, serverTime } = await query(promql, window.to, parse, signal);
      return { ...data, serverTime };
    },
    instant: async (promql, atMs, signal) => (await query(promql, atMs, parseVector, signal)).data,
    range: async (promql, window, stepMs, signal) => {
      const form = new URLSearchParams({
        query: promql,
        start: seconds(window.from + stepMs),
        end: seconds(window.to),
        step: String(stepMs / 1_000),
        timeout: `${Math.round(timeoutMs)}ms`,
      });
      const parse = (data: unknown) => parseMatrix(data, window);
      return (await call("/api/v1/query_range", form, parse, signal)).data.series;
    },
    labelValues: async (label, selector, window, signal) => {
      const asked = new URLSearchParams({
        "match[]": selector,
        start: seconds(window.from),
        end: seconds(window.to),
      });
      const path = `/api/v1/label/${encodeURIComponent(label)}/values?${asked.toString()}`;
      return (await call(path, null, parseLabelValues, signal)).data;
    },
    series: async (selectors, window, signal) => {
      const form = new URLSearchParams({ start: seconds(window.from), end: seconds(window.to) });
      for (const selector of selectors) form.append("match[]", selector);
      return (await call("/api/v1/series", form, parseLabelSets, signal)).data;
    },
    metadata: async (signal) => (await call("/api/v1/metadata", null, parseMetadata, signal)).data,
    family: async (metric, signal) => {
      for (const name of [metric, metric.replace(/_(total|bucket|sum|count|created|info)$/, "")]) {
        const path = `/api/v1/metadata?${new URLSearchParams({ metric: name }).toString()}`;
        const family = (await call(path, null, parseFamilies, signal)).data.get(name);
        if (family !== undefined) return family;
      }
      return null;
    },
    version: async (signal) => {
      const parse = (data: unknown) => String((data as { version?: unknown } | null)?.version);
      return (await call("/api/v1/status/buildinfo", null, parse, signal)).data;
    },
    close: () => pool.destroy(),
  };
}

/** Prometheus's times are seconds; three decimals keep the millisecond. */
function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

/** Secrets are read for each request, as they may be rotated. */
function authorization(config: SourceConfig): Record<string, string> {
  if (config.bearer_token_file !== undefined)
    return { authorization: `Bearer ${readSecret(config.bearer_token_file)}` };
  if (config.username === undefined) return {};
  const password = config.password_file === undefined ? "" : readSecret(config.password_file);
  return { authorization: `Basic ${Buffer.from(`${config.username}:${password}`).toString("base64")}` };
}

/** Runs `work` under a signal that fires with `signal` or after `ms`. AbortSignal.any leaks on signals that live long. */
async function withTimeout<T>(
  ms: number,
  signal: AbortSignal,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const onAbort = () => either.abort(signal.reason);
  const timer = setTimeout(
    () => either.abort(new MillraceError("PROM_TIMEOUT", `Prometheus took longer than ${ms / 1_000} s.`)),
    ms,
  );
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await work(either.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function readText(body: Dispatcher.ResponseData["body"], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new MillraceError("PROM_WINDOW_TOO_LARGE", `Prometheus's answer exceeds ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}

/** What an answer that is not 200 means. The API's own errors: `{status: "error", errorType, error}`. */
function refusal(
  status: number,
  headers: Dispatcher.ResponseData["headers"],
  text: string,
  now: number,
): MillraceError {
  let errorType: unknown;
  let said = text.trim();
  try {
    const answer = JSON.parse(text) as { errorType?: unknown; error?: unknown };
    errorType = answer.errorType;
    said = String(answer.error);
  } catch {
    // A proxy's page, or Prometheus while it starts: its words are all there is.
  }
  const message = `Prometheus answered ${status}${said === "" ? "" : `: ${excerpt(said)}`}`;
  if (status === 401 || status === 403) return new MillraceError("PROM_UNAUTHORIZED", message);
  if (errorType === "timeout" || status === 408 || status === 504)
    return new MillraceError("PROM_TIMEOUT", message);
  // Too many samples for one query, for one: asking for less may do.
  if (errorType === "execution") return new MillraceError("PROM_WINDOW_TOO_LARGE", message);
  if (errorType === "bad_data") return new MillraceError("PROM_QUERY_REFUSED", message);
  if (status === 429 || status >= 500)
    return new MillraceError("PROM_UNAVAILABLE", message, {
      retryAfterMs: retryAfterMs(headers["retry-after"], now),
    });
  return new MillraceError("PROM_BAD_RESPONSE", message);
}

/** What a failed connection means. */
function failure(error: unknown, url: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return asMillraceError(error);
  return /TIMEOUT|ETIMEDOUT/.test(code)
    ? new MillraceError("PROM_TIMEOUT", `Prometheus at ${url} does not answer in time (${code}).`, {
        cause: error,
      })
    : new MillraceError("PROM_UNAVAILABLE", `Prometheus at ${url}: ${message || code}.`, { cause: error });
}
