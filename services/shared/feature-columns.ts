import type { Config } from "./config-schema.js";
import { rollingStatistics } from "./rolling-statistics.js";
import { statisticalColumns } from "./statistical-columns.js";

/** The names of a configuration's feature columns by what computes them, in the order in which records carry them. */
export interface FeatureColumns {
  /** Per window the statistics, in the order of `rollingStatistics`. */
  readonly rolling: readonly string[];
  readonly slope: readonly string[];
  /** Absolute and in per cent by turns. */
  readonly momentum: readonly string[];
  readonly changePoint: readonly string[];
  readonly drift: readonly string[];
  readonly seasonal: readonly string[];
  readonly zscore: readonly string[];
  readonly statistics: readonly string[];
  readonly frequency: readonly string[];
  readonly isolation: readonly string[];
  readonly scaled: readonly string[];
  readonly rate: readonly ["rate"];
}

export function featureColumnsByKind(config: Config): FeatureColumns {
  const { cleaning, feature_engineering, scaling } = config.transform;
  const { rolling_windows, slope_windows, momentum, zscore_window, statistics, frequency } =
    feature_engineering;
  return {
    rolling: rolling_windows.flatMap(({ name }) =>
      rollingNames(config).map((statistic) => `${statistic}_${name}`),
    ),
    slope: slope_windows.map(({ name }) => `slope_${name}`),
    momentum: momentum.flatMap(({ name }) => [`momentum_${name}`, `momentum_pct_${name}`]),
    changePoint: feature_engineering.change_points === undefined ? [] : ["change_point"],
    drift: feature_engineering.page_hinkley === undefined ? [] : ["drift", "drift_age"],
    seasonal:
      feature_engineering.seasonal === undefined
        ? []
        : ["trend", "seasonal", "residual", "seasonal_strength", "seasonal_anomaly"],
    zscore: zscore_window === undefined ? [] : ["zscore"],
    statistics: statistics === undefined ? [] : statisticalColumns(statistics).columns,
    frequency:
      frequency === undefined
        ? []
        : frequency.features.map((feature) => `${feature}_${frequency.window.name}`),
    isolation: cleaning.outlier_detection === "isolation_forest" ? ["iforest_score"] : [],
    scaled: scaling === undefined ? [] : ["scaled"],
    rate: ["rate"],
  };
}

function rollingNames(config: Config): string[] {
  const { aggregation_functions, percentiles } = config.transform.feature_engineering;
  return rollingStatistics
    .filter((statistic) => aggregation_functions.includes(statistic))
    .flatMap((statistic) =>
      statistic === "percentile"
        ? percentiles.map((percentile) => `p${String(percentile).replace(".", "_")}`)
        : [statistic],
    );
}

export function featureColumns(config: Config): string[] {
  return Object.values<readonly string[]>({ ...featureColumnsByKind(config) }).flat();
}

/** The fields of a MetricFeatures row before its feature columns. */
export const featureRowPrefix = ["metric", "labels", "type", "value", "flags"] as const;

const meaningsOfStatistics: Readonly<Record<string, string>> = {
  mean: "Mean",
  std: "Sample standard deviation (ddof 1); null below two values;",
  min: "Smallest value",
  max: "Largest value",
  count: "Number of values",
  mad: "Median absolute deviation from the median",
  cv: "Coefficient of variation, std ÷ mean,",
  slope: "Least-squares slope per second",
  variance: "Variance (ddof 0)",
  skewness: "Skewness G1; null below three values;",
  kurtosis: "Excess kurtosis G2; null below four values;",
  abs_energy: "Sum of squares",
  mean_abs_change: "Mean absolute difference of values that follow each other",
  mean_change: "Mean difference of values that follow each other",
  cid_ce: "Complexity: root of the sum of squared differences of values that follow each other",
  cid_ce_normalized: "The same of the values ÷ their standard deviation",
  count_above_mean: "Number of values above the mean",
  count_below_mean: "Number of values below the mean",
  longest_strike_above_mean: "Longest run of values above the mean",
  longest_strike_below_mean: "Longest run of values below the mean",
  first_location_of_maximum: "Share of the values before the first maximum",
  last_location_of_maximum: "Share of the values up to the last maximum",
  first_location_of_minimum: "Share of the values before the first minimum",
  last_location_of_minimum: "Share of the values up to the last minimum",
  dominant_frequency: "Frequency with the most power, hertz,",
  spectral_entropy: "How evenly power is spread over the frequencies, 0 to 1,",
  spectral_centroid: "Mean frequency, weighted by power, hertz,",
  spectral_bandwidth: "Deviation of the frequencies from their mean, weighted by power, hertz,",
};

/** Of statistics with a parameter, which is put in the place of `%`. */
const meaningsOfParameters: readonly (readonly [RegExp, string])[] = [
  [/^autocorrelation_(\d+)$/, "Autocorrelation at a lag of % samples"],
  [/^number_peaks_(\d+)$/, "Number of values larger than their % neighbours on either side"],
  [/^ratio_beyond_([\d_]+)_sigma$/, "Share of the values more than % standard deviations from the mean"],
];

const meaningsOfColumns: Readonly<Record<string, string>> = {
  change_point:
    "Seconds since the newest change of the mean in the window; the window's length where there is none.",
  drift:
    "1 where Page and Hinkley's test tells of a drift of the mean, else 0; null where it knows of no scale.",
  drift_age: "Seconds since the newest drift of the epoch; null where there is none.",
  trend: "Mean of the season that ends here.",
  seasonal: "What the season adds to the trend.",
  residual: "What trend and season leave of the value.",
  seasonal_strength: "How much of what is not trend is season, 0 to 1.",
  seasonal_anomaly: "Robust z-score of the residual among the window's.",
  zscore: "How many standard deviations the value lies from the mean of the others in the window.",
  iforest_score: "Anomaly score of the isolation forest, 0 to 1; above 0.5 is an outlier.",
  scaled:
    "The value, or of a counter the rate, scaled by what was fitted to the series before; null without a fit.",
  rate: "Per-second increase of a counter, as Prometheus's rate(); null for other types.",
};

/** What each column means, for the schema that other consumers read. */
function describeColumn(column: string): string {
  if (Object.hasOwn(meaningsOfColumns, column)) return meaningsOfColumns[column];
  const [, statistic, window] = /^(.+)_([^_]+)$/.exec(column) ?? ["", column, ""];
  if (statistic === "momentum") return `Value less that of ${window} before.`;
  if (statistic === "momentum_pct") return `The same in per cent of the value of ${window} before.`;
  const over = `over the last ${window}, (t - window, t]`;
  const meaning = meaningOf(statistic);
  if (meaning !== null) return `${meaning} ${over}.`;
  return `Percentile ${statistic.slice(1).replace("_", ".")} ${over}, linear interpolation.`;
}

/** Null of a percentile. */
function meaningOf(statistic: string): string | null {
  if (Object.hasOwn(meaningsOfStatistics, statistic)) return meaningsOfStatistics[statistic];
  for (const [form, meaning] of meaningsOfParameters) {
    const match = form.exec(statistic);
    if (match !== null) return meaning.replace("%", match[1].replace("_", "."));
  }
  return null;
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
                  doc: "Bits: 1 invalid, 2 imputed, 4 outlier, 8 stale, 16 not finite, 32 conversion error, 64 incomplete.",
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
