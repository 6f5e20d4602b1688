import { backwardFill } from "../kernels/impute/backward-fill.js";
import { forwardFill } from "../kernels/impute/forward-fill.js";
import { onLine } from "../kernels/impute/linear.js";
import { median } from "../kernels/impute/mean-median.js";
import { seasonalFill } from "../kernels/impute/seasonal-fill.js";
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
  /** How far before the gap its filler looks. */
  readonly contextMs: number;
  readonly fill: Fill;
}

/**
 * The values at `times`, between the last two of the samples given: the ends of the gap, after those of `contextMs` before
 * it. NaN leaves a time open.
 */
export type Fill = (timestamps: Float64Array, values: Float64Array, times: Float64Array) => Float64Array;

type ImputationConfig = Config["transform"]["imputation"];

/** An interval is told from samples within this. */
const INTERVAL_LOOKBACK_MS = 600_000;
const DEFAULT_WINDOW_MS = 3_600_000;
const DEFAULT_SEASON_SAMPLES = 60;
/** Whether a gap is too long is decided before. */
const ANY_GAP = { maxGapMs: Infinity };

/** Null where gaps stay open. */
export function imputationPlan(config: ImputationConfig): ImputationPlan | null {
  const { method, max_gap_minutes, interval, window } = config;
  if (method === "none") return null;
  return {
    maxGapMs: max_gap_minutes * 60_000,
    intervalMs: interval === "auto" ? null : interval,
    intervalLookbackMs: interval === "auto" ? INTERVAL_LOOKBACK_MS : 0,
    contextMs: looksBack[method] ? (window?.ms ?? DEFAULT_WINDOW_MS) : 0,
    fill: fills[method](config),
  };
}

/** Whether a method looks at more than the ends of the gap. */
const looksBack: Record<ImputationMethod, boolean> = {
  linear_interpolation: false,
  forward_fill: false,
  backward_fill: false,
  seasonal: true,
  mean: true,
  median: true,
};

const fills: Record<ImputationMethod, (config: ImputationConfig) => Fill> = {
  linear_interpolation: () => (timestamps, values, times) => {
    const far = timestamps.length - 1;
    return times.map((ms) => onLine(timestamps, values, far - 1, far, ms));
  },
  forward_fill: (config) => between((...samples) => forwardFill(carryOptions(config), ...samples)),
  backward_fill: (config) => between((...samples) => backwardFill(carryOptions(config), ...samples)),
  seasonal: seasonal,
  mean: () => statisticBefore(mean),
  median: () => statisticBefore(median),
};

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
    const far = timestamps.length - 1;
    const count = far + times.length + 1;
    const allTimes = new Float64Array(count);
    allTimes.set(timestamps.subarray(0, far));
    allTimes.set(times, far);
    allTimes[count - 1] = timestamps[far];
    const allValues = new Float64Array(count).fill(NaN);
    allValues.set(values.subarray(0, far));
    allValues[count - 1] = values[far];
    const out = new Float64Array(count);
    kernel(allTimes, allValues, 0, count, out, new Uint8Array(count), 0);
    return out.slice(far, count - 1);
  };
}

/** Of the samples up to the gap. */
function statisticBefore(statistic: (values: Float64Array, first: number, end: number) => number): Fill {
  return (_, values, times) => new Float64Array(times.length).fill(statistic(values, 0, values.length - 1));
}

/** Phases are counted from the near end, in the middle of its interval: scrapes that come a little early or late keep theirs. */
function seasonal({ interval, season_samples, window }: ImputationConfig): Fill {
  const periodSamples = season_samples ?? DEFAULT_SEASON_SAMPLES;
  const windowMs = window?.ms ?? DEFAULT_WINDOW_MS;
  return (timestamps, values, times) => {
    const intervalMs = interval === "auto" ? medianDistance(timestamps) : interval;
    const start = timestamps[timestamps.length - 2] - intervalMs / 2;
    const options = { ...ANY_GAP, windowMs, periodSamples, intervalMs };
    const since = (ms: number) => ms - start;
    return between((...samples) => seasonalFill(options, ...samples))(
      timestamps.map(since),
      values,
      times.map(since),
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
