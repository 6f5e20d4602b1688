import type { MetricType } from "../shared/frame.js";
import type { PrometheusClient } from "./prometheus-client.js";

/** The types that a Prometheus's metadata can name; what else it may say is `unknown`. */
const familyTypes: ReadonlyMap<string, MetricType> = new Map([
  ["counter", "counter"],
  ["gauge", "gauge"],
  ["histogram", "histogram"],
  ["summary", "summary"],
  ["gaugehistogram", "gauge"],
  ["info", "gauge"],
  ["stateset", "gauge"],
]);

/**
 * The type of a metric, by the type words of its Prometheus's metadata (`/api/v1/metadata`, by family name).
 * The buckets, sums and counts of a histogram or summary only ever grow: they are counters.
 * Families of OpenMetrics are named without the `_total` of their series. What metadata does not know, for its target is
 * gone or its Prometheus has just started, the reserved suffixes `_total` and `_bucket` still tell.
 */
export function metricTypeOf(metric: string, families: ReadonlyMap<string, string>): MetricType {
  const exact = families.get(metric);
  if (exact !== undefined) return familyTypes.get(exact) ?? "unknown";

  const suffixed = /^(.+)_(total|bucket|sum|count|gsum|gcount|created|info)$/.exec(metric);
  if (suffixed === null) return "unknown";
  const family = families.get(suffixed[1]);
  switch (suffixed[2]) {
    case "total":
      return "counter";
    case "bucket":
      return family === "gaugehistogram" ? "gauge" : "counter";
    case "sum":
    case "count":
      return family === "histogram" || family === "summary" ? "counter" : "unknown";
    default:
      return family === undefined ? "unknown" : "gauge";
  }
}

/** Metadata is read again this often; it changes when targets are deployed anew. */
const REFRESH_MS = 300_000;
/** Soon after a metric without metadata is met: its target may just not have been scraped yet. Then twice as long, and so on. */
const FIRST_REFRESH_MS = 1_000;

/** The types of metrics, looked up as they are met. */
export interface MetricTypes {
  /** Reads the metadata where these metrics, or the time, ask for it. Rejects as the client does, if one of them is new. */
  learn(metrics: Iterable<string>, signal: AbortSignal): Promise<void>;
  of(metric: string): MetricType;
}

export function createMetricTypes(
  client: Pick<PrometheusClient, "metadata">,
  now: () => number,
): MetricTypes {
  const types = new Map<string, MetricType>();
  let readAt = -Infinity;
  let refreshMs = FIRST_REFRESH_MS;

  return {
    of: (metric) => types.get(metric) ?? "unknown",
    learn: async (metrics, signal) => {
      const fresh = [...metrics].filter((metric) => !types.has(metric));
      if (fresh.length > 0) refreshMs = FIRST_REFRESH_MS;
      else if (now() - readAt < refreshMs) return;

      let families: Map<string, string>;
      try {
        families = await client.metadata(signal);
      } catch (error) {
        // Wrong types would stay in Kafka for good; known ones can do without the refresh.
        if (fresh.length > 0 || signal.aborted) throw error;
        readAt = now();
        return;
      }
      for (const metric of [...types.keys(), ...fresh]) types.set(metric, metricTypeOf(metric, families));
      const complete = ![...types.values()].includes("unknown");
      refreshMs = complete ? REFRESH_MS : Math.min(refreshMs * 2, REFRESH_MS);
      readAt = now();
    },
  };
}
