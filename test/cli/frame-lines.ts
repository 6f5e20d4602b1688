export const START_MS = 1_760_000_000_000;

/** A frame of a job as the commands read it, so many seconds after START_MS; `more` is said of each sample. */
export function frameLine(
  seconds: number,
  metrics: Readonly<Record<string, unknown>>,
  { job = "api", more = {} }: { job?: string; more?: object } = {},
): string {
  return JSON.stringify({
    entity: { job },
    timestamp: START_MS + 1000 * seconds,
    samples: Object.entries(metrics).map(([metric, value]) => ({
      metric,
      type: metric.endsWith("_total") ? "counter" : "gauge",
      value,
      ...more,
    })),
  });
}

/** A mean over ten seconds, and rates of counters over as many: what is to be seen of a minute of frames. */
export const tenSecondFeatures = {
  rolling_windows: ["10s"],
  aggregation_functions: ["mean"],
  slope_windows: [],
  momentum: [],
  rate_window: "10s",
  combined_rates: {},
};
