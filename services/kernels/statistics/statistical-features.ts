import { countsAboutMean, ratioBeyond } from "./about-mean.js";
import { autocorrelation } from "./autocorrelation.js";
import {
  centralCells,
  centralSums,
  cubesCell,
  fourthsCell,
  kurtosis,
  offsetCell,
  roughMeanCell,
  skewness,
  squaresCell,
} from "./central-sums.js";
import { numberOfPeaks } from "./peaks.js";
import { safeUnit } from "./safe-unit.js";

/** The parameters of tsfresh's features that have one, a column each. */
export interface StatisticsPlan {
  /** Of `autocorrelation`, in samples. */
  readonly lags: readonly number[];
  /** Of `number_peaks`: how many neighbours on either side a peak is larger than. */
  readonly supports: readonly number[];
  /** Of `ratio_beyond_r_sigma`. */
  readonly sigmas: readonly number[];
}

/** tsfresh's names of the features without a parameter, whose columns are always there, and come first. */
export const fixedNames = [
  "variance",
  "skewness",
  "kurtosis",
  "abs_energy",
  "mean_abs_change",
  "mean_change",
  "cid_ce",
  "cid_ce_normalized",
  "count_above_mean",
  "count_below_mean",
  "longest_strike_above_mean",
  "longest_strike_below_mean",
  "first_location_of_maximum",
  "last_location_of_maximum",
  "first_location_of_minimum",
  "last_location_of_minimum",
] as const;

/** The names of what `statisticalFeatures` writes, in its order. */
export function statisticalNames({ lags, supports, sigmas }: StatisticsPlan): string[] {
  return [
    ...fixedNames,
    ...lags.map((lag) => `autocorrelation_${lag}`),
    ...supports.map((support) => `number_peaks_${support}`),
    ...sigmas.map((sigma) => `ratio_beyond_${sigma}_sigma`),
  ];
}

/** Room for the window's values and what is summed of them: a cache without influence on any result. */
export interface StatisticsState {
  values: Float64Array;
  readonly sums: Float64Array;
}

export function openStatisticsState(): StatisticsState {
  return { values: new Float64Array(64), sums: new Float64Array(centralCells) };
}

/**
 * Writes tsfresh's features (variance with ddof 0, skewness G1, kurtosis G2, …) of the finite ones of
 * `values[first ... end - 1]` at `out[outOffset]`, in the order of `statisticalNames(plan)`; NaN where there
 * is no answer, all of them for no values. Samples count by their order, not by their time, as in tsfresh.
 * Values of an extreme size are scaled by a power of two on the way, so only what itself overflows is
 * Infinity.
 */
export function statisticalFeatures(
  plan: StatisticsPlan,
  state: StatisticsState,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = keepFinite(state, values, first, end);
  const width = fixedNames.length + plan.lags.length + plan.supports.length + plan.sigmas.length;
  if (count === 0) {
    out.fill(NaN, outOffset, outOffset + width);
    return;
  }
  const { values: window, sums } = state;
  const constant = locations(window, count, out, outOffset + 12);
  const unit = normalise(window, count);
  centralSums(window, 0, count, sums, 0);
  // Of constants, exactly: rounding may have left something.
  if (constant) sums.fill(0, offsetCell).fill(window[0], roughMeanCell, offsetCell);
  const roughMean = sums[roughMeanCell];
  const offset = sums[offsetCell];
  const squares = sums[squaresCell];
  const deviation = Math.sqrt(squares / count);

  out[outOffset] = squares / count / unit / unit;
  out[outOffset + 1] = skewness(count, squares, sums[cubesCell]);
  out[outOffset + 2] = kurtosis(count, squares, sums[fourthsCell]);
  changes(window, count, unit, deviation, out, outOffset + 3);
  countsAboutMean(window, 0, count, roughMean, offset, out, outOffset + 8);
  let column = outOffset + fixedNames.length;
  for (let k = 0; k < plan.lags.length; k++)
    out[column++] = autocorrelation(window, 0, count, plan.lags[k], roughMean, offset, squares);
  for (let k = 0; k < plan.supports.length; k++)
    out[column++] = numberOfPeaks(window, 0, count, plan.supports[k]);
  for (let k = 0; k < plan.sigmas.length; k++)
    out[column++] = ratioBeyond(window, 0, count, plan.sigmas[k], roughMean, offset, deviation);
}

/** Copies the finite values into the state, and returns how many. */
function keepFinite(state: StatisticsState, values: Float64Array, first: number, end: number): number {
  if (state.values.length < end - first) state.values = new Float64Array(2 * (end - first));
  const window = state.values;
  let count = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value - value === 0) window[count++] = value;
  }
  return count;
}

/**
 * Writes first and last location of the maximum and of the minimum, as shares of the length, and returns
 * whether all values are equal.
 */
function locations(window: Float64Array, count: number, out: Float64Array, outOffset: number): boolean {
  let firstMaximum = 0;
  let lastMaximum = 0;
  let firstMinimum = 0;
  let lastMinimum = 0;
  for (let i = 1; i < count; i++) {
    const value = window[i];
    if (value >= window[lastMaximum]) {
      if (value > window[lastMaximum]) firstMaximum = i;
      lastMaximum = i;
    }
    if (value <= window[lastMinimum]) {
      if (value < window[lastMinimum]) firstMinimum = i;
      lastMinimum = i;
    }
  }
  out[outOffset] = firstMaximum / count;
  out[outOffset + 1] = 1 - (count - 1 - lastMaximum) / count;
  out[outOffset + 2] = firstMinimum / count;
  out[outOffset + 3] = 1 - (count - 1 - lastMinimum) / count;
  return window[firstMaximum] === window[firstMinimum];
}

/** Brings values of an extreme size to a safe one, and returns the power of two that they were multiplied by. */
function normalise(window: Float64Array, count: number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(window[i]));
  const unit = safeUnit(largest);
  if (unit === 1) return 1;
  for (let i = 0; i < count; i++) window[i] *= unit;
  return unit;
}

/** Writes `abs_energy`, `mean_abs_change`, `mean_change`, `cid_ce`, and this of the values ÷ `deviation`. */
function changes(
  window: Float64Array,
  count: number,
  unit: number,
  deviation: number,
  out: Float64Array,
  outOffset: number,
): void {
  let energy = window[0] * window[0];
  let absolute = 0;
  let squares = 0;
  for (let i = 1; i < count; i++) {
    const value = window[i];
    const change = value - window[i - 1];
    energy += value * value;
    absolute += Math.abs(change);
    squares += change * change;
  }
  const complexity = Math.sqrt(squares);
  out[outOffset] = energy / unit / unit;
  out[outOffset + 1] = absolute / (count - 1) / unit;
  out[outOffset + 2] = (window[count - 1] - window[0]) / (count - 1) / unit;
  out[outOffset + 3] = complexity / unit;
  out[outOffset + 4] = deviation === 0 ? 0 : complexity / deviation;
}
