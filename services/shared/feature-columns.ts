import type { Config } from "./config-schema.js";

/**
 * The feature columns of a configuration, in the order in which kernels compute and records carry them: per window
 * mean, standard deviation, percentiles; then the features without a window.
 */
export function featureColumns(config: Config): string[] {
  const { rolling_windows, aggregation_functions, percentiles } = config.transform.feature_engineering;
  const columns: string[] = [];
  for (const { name } of rolling_windows) {
    if (aggregation_functions.includes("mean")) columns.push(`mean_${name}`);
    if (aggregation_functions.includes("std")) columns.push(`std_${name}`);
    if (aggregation_functions.includes("percentile")) {
      for (const percentile of percentiles) columns.push(`p${String(percentile).replace(".", "_")}_${name}`);
    }
  }
  columns.push("rate");
  return columns;
}

/** The fields of a MetricFeatures row before its feature columns. */
export const featureRowPrefix = ["metric", "labels", "type", "value", "flags"] as const;

/** What each statistic means, for the schema that other consumers read. */
function describeColumn(column: string): string {
  const separator = column.indexOf("_");
  const statistic = column.slice(0, separator);
  const over = `over the last ${column.slice(separator + 1)}, (t - window, t]`;
  if (column === "rate")
    return "Per-second increase of a counter, as Prometheus's rate(); null for other types.";
  if (statistic === "mean") return `Mean ${over}.`;
  if (statistic === "std") return `Sample standard deviation (ddof 1) ${over}; null below two values.`;
  return `Percentile ${statistic.slice(1)} ${over}, linear interpolation.`;
}

/** The Avro schema of metrics.features for these columns: one nullable double a column, so that versions may differ. */
export function featureSchemaText(columns: readonly string[]): string {
  return JSON.stringify(
    {
      type: "record",
      name: "MetricFeatures",
      namespace: "millrace",
      doc: "The features of all series of one entity at one event time. Identity is (series, timestamp): a later revision replaces an earlier one. Window statistics of counters are over their per-second rate.",
      fields: [
        { name: "entity", type: { type: "map", values: "string" }, doc: "The labels that name the entity." },
        { name: "timestamp", type: "long", doc: "Event time, milliseconds since the epoch." },
        {
          name: "revision",
          type: "long",
          doc: "Offset in metrics.raw of the frame that caused this emission.",
        },
        {
          name: "knownAt",
          type: "long",
          doc: "When the row could first be known, milliseconds since the epoch.",
        },
        { name: "retracted", type: "boolean", doc: "The rows of this frame must go." },
        {
          name: "origin",
          type: {
            type: "enum",
            name: "Origin",
            symbols: ["live", "backfill", "remote_write"],
            default: "live",
          },
        },
        {
          name: "rows",
          type: {
            type: "array",
            items: {
              type: "record",
              name: "FeatureRow",
              fields: [
                { name: "metric", type: "string" },
                { name: "labels", type: { type: "map", values: "string" }, doc: "Without __name__." },
                {
                  name: "type",
                  type: {
                    type: "enum",
                    name: "MetricType",
                    symbols: ["unknown", "gauge", "counter", "histogram", "summary"],
                    default: "unknown",
                  },
                },
                { name: "value", type: "double" },
                {
                  name: "flags",
                  type: "int",
                  doc: "Bits: 1 invalid, 2 imputed, 4 outlier, 8 stale, 16 not finite, 32 conversion error.",
                },
                ...columns.map((column) => ({
                  name: column,
                  type: ["null", "double"],
                  default: null,
                  doc: describeColumn(column),
                })),
              ],
            },
          },
        },
      ],
    },
    null,
    2,
  );
}
