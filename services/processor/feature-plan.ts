import { fractionOf } from "../kernels/percentile.js";
import { type RollingPlan, rollingWidth } from "../kernels/rolling-features.js";
import type { Config } from "../shared/config-schema.js";
import { featureColumns } from "../shared/feature-columns.js";

/** What is computed for each row, and how far back in event time that reaches. All durations in milliseconds. */
export interface FeaturePlan {
  /** Names of the columns: those of the rolling windows, then `rate`. */
  readonly columns: readonly string[];
  readonly rolling: RollingPlan;
  readonly rateWindowMs: number;
  readonly largestWindowMs: number;
  /** Law L3: what is older has no influence. Window statistics of a counter are over its rate, so the two add up. */
  readonly lookbackMs: number;
  /** Law L5: rows newer than the entity's watermark minus this are corrected at once when a late sample touches them. */
  readonly latenessMs: number;
}

export function featurePlan(config: Config): FeaturePlan {
  const { rolling_windows, aggregation_functions, percentiles, rate_window } =
    config.transform.feature_engineering;
  const windowsMs = rolling_windows.map(({ ms }) => ms);
  const rolling: RollingPlan = {
    windowsMs,
    mean: aggregation_functions.includes("mean"),
    standardDeviation: aggregation_functions.includes("std"),
    fractions: aggregation_functions.includes("percentile") ? percentiles.map(fractionOf) : [],
  };
  const largestWindowMs = Math.max(...windowsMs);
  const columns = featureColumns(config);
  if (columns.length !== rollingWidth(rolling) + 1) throw new Error("The columns and the kernel disagree.");
  return {
    columns,
    rolling,
    rateWindowMs: rate_window,
    largestWindowMs,
    lookbackMs: largestWindowMs + rate_window,
    latenessMs: config.transform.lateness,
  };
}
