import { openChangePointScratch, secondsSinceChange } from "../kernels/change-points.js";
import { onEvenGrid } from "../kernels/frequency/even-grid.js";
import { frequencyFeatures, frequencyNames, openSpectrumState } from "../kernels/frequency/spectrum.js";
import { meanAndStandardDeviation } from "../kernels/mean-and-deviation.js";
import { momentum } from "../kernels/momentum.js";
import { type PageHinkleyOptions, newestDrift, startOfEpoch } from "../kernels/page-hinkley.js";
import { residualScores } from "../kernels/seasonal-anomalies.js";
import { openSeasonalScratch, seasonalFeatures, seasonalWidth } from "../kernels/seasonal-features.js";
import {
  openStatisticsState,
  statisticalFeatures,
  statisticalNames,
} from "../kernels/statistics/statistical-features.js";
import { firstAfter } from "../kernels/window-bounds.js";
import { isZScoreOutlier } from "../kernels/z-score.js";
import type { Config } from "../shared/config-schema.js";
import { featureColumnsByKind } from "../shared/feature-columns.js";
import { statisticalColumns } from "../shared/statistical-columns.js";
import { ageLimitMs } from "./imputation-plan.js";

/** Columns that are computed together from what a row sees of its series. */
export interface FeatureGroup {
  readonly columns: readonly string[];
  /** What is at least so much older than a row has no influence on it (law L3). */
  readonly lookbackMs: number;
  /** What a row at a time looks at, where that is not all of the lookback up to it. */
  readonly spanAt?: (timestamp: number) => { readonly afterMs: number; readonly toMs: number };
  /** Indices of the values that the row at `end - 1` is of, where these are not all in its span; −1 is none. */
  readonly pick?: (timestamps: Float64Array, values: Float64Array, first: number, end: number) => Int32Array;
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
    ...ifGiven(features.page_hinkley, (options) => drift(columns.drift, options)),
    seasonal(columns.seasonal, features),
    zscore(columns.zscore, features),
    ...ifGiven(features.statistics, (options) => statistics(columns.statistics, options)),
    ...ifGiven(features.frequency, (options) => frequency(columns.frequency, options)),
  ];
  return wanted.filter((group) => group.columns.length > 0);
}

function ifGiven<Options>(
  options: Options | undefined,
  group: (options: Options) => FeatureGroup,
): FeatureGroup[] {
  return options === undefined ? [] : [group(options)];
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

/**
 * Page and Hinkley's test over the epoch so far, with deviations in units of the epoch before it: where that had too few samples,
 * or varied so much that the threshold overflows, nothing is told, and where it was constant the unit is 1, as of scalers.
 */
function drift(columns: readonly string[], wanted: NonNullable<Features["page_hinkley"]>): FeatureGroup {
  const { fewest_samples: fewestSamples, delta, threshold, alpha } = wanted;
  const epochMs = wanted.epoch.ms;
  const meanAndDeviation = new Float64Array(2);
  /** In units of the values; null where there is no scale. */
  const optionsOf = (values: Float64Array, first: number, end: number): PageHinkleyOptions | null => {
    if (countFinite(values, first, end) < fewestSamples) return null;
    meanAndStandardDeviation(values, first, end, meanAndDeviation, 0);
    const unit = meanAndDeviation[1] === 0 ? 1 : meanAndDeviation[1];
    const options = { fewestSamples, delta: delta * unit, threshold: threshold * unit, alpha };
    return Number.isFinite(options.delta) && Number.isFinite(options.threshold) ? options : null;
  };
  return {
    columns,
    lookbackMs: 2 * epochMs,
    spanAt: (timestamp) => ({ afterMs: startOfEpoch(timestamp, epochMs) - epochMs, toMs: timestamp }),
    write: (timestamps, values, first, end, out, outOffset) => {
      const startMs = startOfEpoch(timestamps[end - 1], epochMs);
      const start = firstAfter(timestamps, first, end, startMs);
      const before = firstAfter(timestamps, first, start, startMs - epochMs);
      const options = optionsOf(values, before, start);
      const newest = options === null ? -1 : newestDrift(options, values, start, end);
      out[outOffset] = options === null ? NaN : Number(newest === end - 1);
      out[outOffset + 1] = newest < 0 ? NaN : (timestamps[end - 1] - timestamps[newest]) / 1000;
    },
  };
}

function countFinite(values: Float64Array, first: number, end: number): number {
  let count = 0;
  for (let i = first; i < end; i++) count += Number(values[i] - values[i] === 0);
  return count;
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

function statistics(columns: readonly string[], wanted: NonNullable<Features["statistics"]>): FeatureGroup {
  const { plan, places } = statisticalColumns(wanted);
  const state = openStatisticsState();
  const all = new Float64Array(statisticalNames(plan).length);
  return ofWindow(columns, wanted.window.ms, (_, values, from, end, out, outOffset) => {
    statisticalFeatures(plan, state, values, from, end, all, 0);
    for (let k = 0; k < places.length; k++) out[outOffset + k] = all[places[k]];
  });
}

function frequency(columns: readonly string[], wanted: NonNullable<Features["frequency"]>): FeatureGroup {
  const { window, interval: intervalMs, features } = wanted;
  const count = Math.floor(window.ms / intervalMs);
  const ageMs = ageLimitMs(intervalMs);
  const places = features.map((feature) => frequencyNames.indexOf(feature));
  const state = openSpectrumState();
  const picked = new Int32Array(count);
  const grid = new Float64Array(count);
  const all = new Float64Array(frequencyNames.length);
  const isFull = (timestamps: Float64Array, values: Float64Array, first: number, end: number) =>
    onEvenGrid(timestamps, values, first, end, intervalMs, count, ageMs, picked);
  return {
    columns,
    lookbackMs: count * intervalMs + ageMs,
    spanAt: (timestamp) => {
      const toMs = Math.floor(timestamp / intervalMs) * intervalMs;
      return { afterMs: toMs - (count - 1) * intervalMs - ageMs - 1, toMs };
    },
    pick: (timestamps, values, first, end) => {
      isFull(timestamps, values, first, end);
      return picked;
    },
    write: (timestamps, values, first, end, out, outOffset) => {
      all.fill(NaN);
      if (isFull(timestamps, values, first, end)) {
        for (let k = 0; k < count; k++) grid[k] = values[picked[k]];
        frequencyFeatures(state, grid, 0, count, intervalMs, all, 0);
      }
      for (let k = 0; k < places.length; k++) out[outOffset + k] = all[places[k]];
    },
  };
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
