import { openChangePointScratch, secondsSinceChange } from "../kernels/change-points.js";
import { momentum } from "../kernels/momentum.js";
import { residualScores } from "../kernels/seasonal-anomalies.js";
import { openSeasonalScratch, seasonalFeatures, seasonalWidth } from "../kernels/seasonal-features.js";
import { firstAfter } from "../kernels/window-bounds.js";
import { isZScoreOutlier } from "../kernels/z-score.js";
import type { Config } from "../shared/config-schema.js";
import { featureColumnsByKind } from "../shared/feature-columns.js";

/** Columns that are computed together from what a row sees of its series. */
export interface FeatureGroup {
  readonly columns: readonly string[];
  /** What is at least so much older than a row has no influence on it (law L3). */
  readonly lookbackMs: number;
  /**
   * Writes the columns of the row at `end - 1` at `out[outOffset]`. `timestamps` (milliseconds, ascending) and `values` of
   * the series are at `first ... end - 1`; NaN is no value.
   */
  readonly write: (
    timestamps: Float64Array,
    values: Float64Array,
    first: number,
    end: number,
    out: Float64Array,
    outOffset: number,
  ) => void;
}

/** The groups that a configuration wants, in the order of their columns. What is off is not there. */
export function featureGroups(config: Config): FeatureGroup[] {
  const columns = featureColumnsByKind(config);
  const features = config.transform.feature_engineering;
  const wanted = [
    momenta(columns.momentum, features),
    changePoint(columns.changePoint, features),
    seasonal(columns.seasonal, features),
    zscore(columns.zscore, features),
  ];
  return wanted.filter((group) => group.columns.length > 0);
}

type Features = Config["transform"]["feature_engineering"];

function momenta(columns: readonly string[], features: Features): FeatureGroup {
  const lagsMs = features.momentum.map(({ ms }) => ms);
  const toleranceMs = features.momentum_tolerance;
  return {
    columns,
    // The oldest sample that a value may be compared with is exactly so old.
    lookbackMs: Math.max(0, ...lagsMs) + toleranceMs + 1,
    write: (timestamps, values, first, end, out, outOffset) => {
      for (let k = 0; k < lagsMs.length; k++)
        momentum(timestamps, values, first, end, lagsMs[k], toleranceMs, out, outOffset + 2 * k);
    },
  };
}

function changePoint(columns: readonly string[], { change_points }: Features): FeatureGroup {
  const scratch = openChangePointScratch();
  const windowMs = change_points?.window.ms ?? 0;
  const sensitivity = change_points?.sensitivity ?? 1;
  return ofWindow(columns, windowMs, (timestamps, values, from, end, out, outOffset) => {
    out[outOffset] = secondsSinceChange(scratch, timestamps, values, from, end, windowMs, sensitivity);
  });
}

function seasonal(columns: readonly string[], { seasonal: wanted }: Features): FeatureGroup {
  const scratch = openSeasonalScratch();
  const plan = { period: wanted?.period ?? 0, intervalMs: wanted?.interval ?? 0 };
  const windowMs = plan.period * plan.intervalMs * (wanted?.periods ?? 0);
  return ofWindow(columns, windowMs, (timestamps, values, from, end, out, outOffset) => {
    seasonalFeatures(plan, scratch, timestamps, values, from, end, out, outOffset);
    const anomaly = outOffset + seasonalWidth;
    const count = end - from;
    out[anomaly] = NaN;
    if (!Number.isNaN(out[outOffset]))
      residualScores(scratch.parts, count - 1, count, scratch.sums, out, anomaly);
  });
}

function zscore(columns: readonly string[], { zscore_window }: Features): FeatureGroup {
  const scoreAndFences = new Float64Array(3);
  return ofWindow(columns, zscore_window?.ms ?? 0, (_, values, from, end, out, outOffset) => {
    isZScoreOutlier(values, from, end, end - 1, scoreAndFences, 0);
    out[outOffset] = scoreAndFences[0];
  });
}

/** A group of one window: `write` is given the samples of (t − window, t] only. */
function ofWindow(columns: readonly string[], windowMs: number, write: FeatureGroup["write"]): FeatureGroup {
  return {
    columns,
    lookbackMs: windowMs,
    write: (timestamps, values, first, end, out, outOffset) => {
      const from = firstAfter(timestamps, first, end, timestamps[end - 1] - windowMs);
      write(timestamps, values, from, end, out, outOffset);
    },
  };
}
