import type { MetricType } from "../shared/frame.js";

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
 * OpenMetrics families are named without the `_total` of their series, and that suffix is reserved for counters.
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
    case "sum":
    case "count":
      if (family === "histogram" || family === "summary") return "counter";
      return family === "gaugehistogram" ? "gauge" : "unknown";
    default:
      return family === undefined ? "unknown" : "gauge";
  }
}
