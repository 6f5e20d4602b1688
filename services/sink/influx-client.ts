import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { HttpError, InfluxDB, toFluxValue } from "@influxdata/influxdb-client";
import { MillraceError } from "../shared/errors.js";
import { retryAfterMs } from "../shared/retry-after.js";

const gzipAsync = promisify(gzip);

export interface InfluxOptions {
  readonly url: string;
  readonly org: string;
  readonly bucket: string;
  /** What one request may take, in all. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** What InfluxDB said of the lines of one request. */
export type WriteOutcome =
  | { readonly kind: "accepted" }
  /**
   * Some lines are bad, in InfluxDB's words. Of the others it has written all where it could parse every line (422), and
   * none where it could not (400).
   */
  | { readonly kind: "refused"; readonly words: string }
  | { readonly kind: "too_large"; readonly words: string };

/**
 * InfluxDB 2.x, one HTTP request a call, nothing tried again. Every call rejects with INFLUX_UNAVAILABLE (may be tried
 * again, after retryAfterMs where the server said so), INFLUX_UNAUTHORIZED, INFLUX_BUCKET_MISSING, or the signal's reason;
 * and with INFLUX_LINE_REFUSED where a deletion or query is refused.
 */
export interface InfluxClient {
  /** Sends lines that are separated by line breaks; none at all asks whether lines could be written. */
  readonly write: (body: string, signal: AbortSignal) => Promise<WriteOutcome>;
  /** Deletes what matches the predicate at one millisecond. */
  readonly deleteAt: (timestamp: number, predicate: string, signal: AbortSignal) => Promise<void>;
  /** The records of a Flux query, given from its second step on: the first one is the bucket. */
  readonly query: (steps: string) => Promise<Record<string, unknown>[]>;
  readonly close: () => void;
}

export function createInfluxClient(options: InfluxOptions, token: string): InfluxClient {
  const { url, org, bucket, timeoutMs, now } = options;
  const agent = new (url.startsWith("https:") ? HttpsAgent : HttpAgent)({ keepAlive: true });
  // The library's own WriteApi batches, tries again and drops as it likes; its transport makes one request, as told.
  const influx = new InfluxDB({ url, token, timeout: timeoutMs, transportOptions: { agent } });
  const queries = influx.getQueryApi(org);
  const target = `org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(bucket)}`;

  async function post(path: string, headers: Record<string, string>, body: Buffer, signal: AbortSignal) {
    // The library tells of a time-out but leaves the request open, so the limit is ours.
    const limit = new AbortController();
    const abort = () => limit.abort();
    const timer = setTimeout(abort, timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      const status = await new Promise<number | undefined>((resolve, reject) => {
        let status: number | undefined;
        // Declared to take a string, which it would only make a buffer of.
        influx.transport.send(
          path,
          body as unknown as string,
          { method: "POST", headers, signal: limit.signal },
          {
            responseStarted: (_, statusCode) => (status = statusCode),
            next: () => undefined,
            error: reject,
            complete: () => resolve(status),
          },
        );
      });
      // Whatever else answers 200 has not written anything.
      if (status !== 204)
        throw unavailable(url, `status ${String(status)}, which is no answer of InfluxDB's`);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.signal.aborted) throw unavailable(url, `no answer within ${timeoutMs / 1000} s`, error);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    write: async (body, signal) => {
      const headers: Record<string, string> = { "content-type": "text/plain; charset=utf-8" };
      let bytes = Buffer.from(body);
      if (bytes.length > 0) {
        // Level 1 takes a third of the default level's time and makes a tenth more bytes.
        bytes = await gzipAsync(bytes, { level: constants.Z_BEST_SPEED });
        headers["content-encoding"] = "gzip";
      }
      try {
        await post(`/api/v2/write?${target}&precision=ms`, headers, bytes, signal);
        return { kind: "accepted" };
      } catch (error) {
        const words = refusalIn(error);
        if (words !== undefined) return { kind: "refused", words };
        // A proxy's limit is as good a reason to send less.
        if (error instanceof HttpError && error.statusCode === 413)
          return { kind: "too_large", words: wordsOf(error) ?? error.message };
        throw asInfluxError(error, signal);
      }
    },

    deleteAt: async (timestamp, predicate, signal) => {
      // Start and stop are both inclusive.
      const time = new Date(timestamp).toISOString();
      const body = Buffer.from(JSON.stringify({ start: time, stop: time, predicate }));
      try {
        await post(`/api/v2/delete?${target}`, { "content-type": "application/json" }, body, signal);
      } catch (error) {
        throw asInfluxError(error, signal);
      }
    },

    query: async (steps) => {
      try {
        return await queries.collectRows(`from(bucket: ${toFluxValue(bucket)}) ${steps}`);
      } catch (error) {
        throw asInfluxError(error);
      }
    },

    close: () => agent.destroy(),
  };

  function asInfluxError(error: unknown, signal?: AbortSignal): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (error instanceof MillraceError) return error;
    const refusal = refusalIn(error);
    if (refusal !== undefined) return new MillraceError("INFLUX_LINE_REFUSED", refusal, { cause: error });
    const words = wordsOf(error) ?? (error instanceof Error ? error.message : String(error));
    if (!(error instanceof HttpError)) return unavailable(url, words, error);
    switch (error.statusCode) {
      case 401:
      case 403:
        return new MillraceError("INFLUX_UNAUTHORIZED", `InfluxDB at ${url} refused the token: ${words}.`, {
          cause: error,
        });
      case 404:
        return new MillraceError("INFLUX_BUCKET_MISSING", `InfluxDB at ${url}: ${words}.`, { cause: error });
      default:
        return unavailable(
          url,
          `status ${error.statusCode}, ${words}`,
          error,
          retryAfterMs(error.headers?.["retry-after"], now()),
        );
    }
  }
}

function unavailable(url: string, words: string, cause?: unknown, retryAfterMs?: number): MillraceError {
  return new MillraceError("INFLUX_UNAVAILABLE", `InfluxDB at ${url}: ${words}.`, { cause, retryAfterMs });
}

/** Why InfluxDB refuses what a request holds. Without its words the answer is a proxy's or another server's, and says nothing of it. */
function refusalIn(error: unknown): string | undefined {
  if (!(error instanceof HttpError)) return undefined;
  return error.statusCode === 400 || error.statusCode === 422 ? wordsOf(error) : undefined;
}

/** What InfluxDB itself said: its errors are JSON with `code` and `message`. */
function wordsOf(error: unknown): string | undefined {
  if (!(error instanceof HttpError)) return undefined;
  const { code, message } = (error.json ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === "string" && typeof message === "string" ? message : undefined;
}
