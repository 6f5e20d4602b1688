import { backwardFill } from "../kernels/impute/backward-fill.js";
import { forwardFill } from "../kernels/impute/forward-fill.js";
import { kMeansFill } from "../kernels/impute/k-means-fill.js";
import { onLine } from "../kernels/impute/linear.js";
import { median } from "../kernels/impute/mean-median.js";
import { regressionFill } from "../kernels/impute/regression.js";
import { seasonalFill } from "../kernels/impute/seasonal-fill.js";
import { softImputeFill } from "../kernels/impute/soft-impute.js";
import { mean } from "../kernels/mean-and-deviation.js";
import type { Config } from "../shared/config-schema.js";
import type { ImputationMethod } from "../shared/imputation-methods.js";

/** How gaps are filled: each between two samples that windows see, once the later of them has come. Durations in milliseconds. */
export interface ImputationPlan {
  /** Longer gaps stay wholly open. */
  readonly maxGapMs: number;
  /** How often a sample is expected; null: as often as before the gap, as far back as `intervalLookbackMs`. */
  readonly intervalMs: number | null;
  readonly intervalLookbackMs: number;
  /** How far before the gap its filler looks at samples of the series itself. */
  readonly contextMs: number;
  /** How far before the gap it looks at any sample. */
  readonly reachMs: number;
  /** How many other series it looks at, at the most. */
  readonly othersMax: number;
  readonly fill: Fill;
}

/**
 * The values at `times`, between the last two of the samples given: the ends of the gap, after those of `contextMs` before
 * it. NaN leaves a time open. `others` gives what other series of the entity were at some times, a column each.
 */
export type Fill = (
  timestamps: Float64Array,
  values: Float64Array,
  times: Float64Array,
  others: (times: Float64Array) => readonly Float64Array[],
) => Float64Array;

/** A gap is more than so many intervals without a sample: a scrape more or less late is none. */
export const GAP_INTERVALS = 1.5;

/** How old what another series was may be, in whole milliseconds, where a sample is expected so often. */
export function ageLimitMs(intervalMs: number): number {
  return Math.floor(GAP_INTERVALS * intervalMs);
}

type ImputationConfig = Config["transform"]["imputation"];

/** An interval is told from samples within this. */
const INTERVAL_LOOKBACK_MS = 600_000;
const DEFAULT_WINDOW_MS = 3_600_000;
const DEFAULT_SEASON_SAMPLES = 60;
const DEFAULT_SERIES_MAX = 16;
const DEFAULT_CLUSTERS = 8;
const DEFAULT_SHRINKAGE = 0.05;
/** Whether a gap is too long is decided before. */
const ANY_GAP = { maxGapMs: Infinity };

/** Null where gaps stay open. */
export function imputationPlan(config: ImputationConfig): ImputationPlan | null {
  const { method, max_gap_minutes, interval, series_max } = config;
  if (method === "none") return null;
  const contextMs = looksAt[method] === "ends" ? 0 : windowMsOf(config);
  const looksAcross = looksAt[method] === "entity";
  // Of five distances within the lookback, the median is less than a third.
  const intervalMs = interval === "auto" ? INTERVAL_LOOKBACK_MS / 3 : interval;
  return {
    maxGapMs: max_gap_minutes * 60_000,
    intervalMs: interval === "auto" ? null : interval,
    intervalLookbackMs: interval === "auto" ? INTERVAL_LOOKBACK_MS : 0,
    contextMs,
    reachMs: contextMs + (looksAcross ? ageLimitMs(intervalMs) : 0),
    othersMax: looksAcross ? (series_max ?? DEFAULT_SERIES_MAX) - 1 : 0,
    fill: fills[method](config),
  };
}

/** At the ends of the gap only, at the series in the window before it, or at the entity's other series there, too. */
const looksAt: Record<ImputationMethod, "ends" | "window" | "entity"> = {
  linear_interpolation: "ends",
  forward_fill: "ends",
  backward_fill: "ends",
  seasonal: "window",
  mean: "window",
  median: "window",
  regression: "entity",
  kmeans: "entity",
  matrix_factorization: "entity",
};

function windowMsOf({ window }: ImputationConfig): number {
  return window?.ms ?? DEFAULT_WINDOW_MS;
}

const fills: Record<ImputationMethod, (config: ImputationConfig) => Fill> = {
  linear_interpolation: () => (timestamps, values, times) => {
    const far = timestamps.length - 1;
    return times.map((ms) => onLine(timestamps, values, far - 1, far, ms));
  },
  forward_fill: (config) => between((...samples) => forwardFill(carryOptions(config), ...samples)),
  backward_fill: (config) => between((...samples) => backwardFill(carryOptions(config), ...samples)),
  seasonal,
  mean: () => statisticBefore(mean),
  median: () => statisticBefore(median),
  regression: (config) => across(regressionFill, () => windowOptions(config)),
  kmeans: (config) =>
    across(kMeansFill, (nearMs) => ({
      ...windowOptions(config),
      clusters: config.clusters ?? DEFAULT_CLUSTERS,
      // Law L2: by the gap's time.
      seed: nearMs,
    })),
  matrix_factorization: (config) =>
    across(softImputeFill, () => ({
      ...windowOptions(config),
      shrinkage: config.shrinkage ?? DEFAULT_SHRINKAGE,
    })),
};

function windowOptions(config: ImputationConfig) {
  return { ...ANY_GAP, windowMs: windowMsOf(config) };
}

function carryOptions({ limit_samples, limit_age }: ImputationConfig) {
  return { ...ANY_GAP, limitCount: limit_samples ?? Infinity, limitAgeMs: limit_age ?? Infinity };
}

/** A kernel that fills what is NaN among samples. */
type SeriesKernel = (
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
) => void;

/** Has a kernel fill the times as samples without a value. */
function between(kernel: SeriesKernel): Fill {
  return (timestamps, values, times) => {
    const all = withTimes(timestamps, values, times);
    const count = all.timestamps.length;
    const out = new Float64Array(count);
    kernel(all.timestamps, all.values, 0, count, out, new Uint8Array(count), 0);
    return out.slice(timestamps.length - 1, count - 1);
  };
}

function withTimes(timestamps: Float64Array, values: Float64Array, times: Float64Array) {
  const far = timestamps.length - 1;
  const count = timestamps.length + times.length;
  const all = { timestamps: new Float64Array(count), values: new Float64Array(count).fill(NaN) };
  all.timestamps.set(timestamps.subarray(0, far));
  all.timestamps.set(times, far);
  all.timestamps[count - 1] = timestamps[far];
  all.values.set(values.subarray(0, far));
  all.values[count - 1] = values[far];
  return all;
}

/** A kernel that fills what is NaN in a table. */
type TableKernel<Options> = (
  options: Options,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
) => void;

/** Has a kernel fill the times in a table of all samples of the series, and what others were at their times. */
function across<Options>(kernel: TableKernel<Options>, optionsOf: (nearMs: number) => Options): Fill {
  return (timestamps, values, times, others) => {
    const all = withTimes(timestamps, values, times);
    const columns = [all.values, ...others(all.timestamps)];
    const width = columns.length;
    const table = Float64Array.from(
      { length: width * all.values.length },
      (_, cell) => columns[cell % width][Math.floor(cell / width)],
    );
    const out = new Float64Array(table.length);
    const options = optionsOf(timestamps[timestamps.length - 2]);
    kernel(options, all.timestamps, table, width, out, new Uint8Array(table.length));
    return times.map((_, k) => out[(timestamps.length - 1 + k) * width]);
  };
}

/** Of the samples up to the gap. */
function statisticBefore(statistic: (values: Float64Array, first: number, end: number) => number): Fill {
  return (_, values, times) => new Float64Array(times.length).fill(statistic(values, 0, values.length - 1));
}

/** Phases are counted from the near end, in the middle of its interval: scrapes that come a little early or late keep theirs. */
function seasonal(config: ImputationConfig): Fill {
  const { interval, season_samples } = config;
  const periodSamples = season_samples ?? DEFAULT_SEASON_SAMPLES;
  return (timestamps, values, times, others) => {
    const intervalMs = interval === "auto" ? medianDistance(timestamps) : interval;
    const start = timestamps[timestamps.length - 2] - intervalMs / 2;
    const options = { ...windowOptions(config), periodSamples, intervalMs };
    const since = (ms: number) => ms - start;
    return between((...samples) => seasonalFill(options, ...samples))(
      timestamps.map(since),
      values,
      times.map(since),
      others,
    );
  };
}

/** Of the samples up to the gap; that of the gap where there is only one. */
function medianDistance(timestamps: Float64Array): number {
  const far = timestamps.length - 1;
  if (far < 2) return timestamps[far] - timestamps[far - 1];
  const distances = timestamps.subarray(1, far).map((ms, i) => ms - timestamps[i]);
  return median(distances, 0, distances.length);
}
