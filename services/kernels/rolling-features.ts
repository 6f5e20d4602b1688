import { mean, meanAndStandardDeviation, standardDeviation } from "./mean-and-deviation.js";
import { coefficientOfVariation } from "./statistics/coefficient-of-variation.js";
import { medianAbsoluteDeviation } from "./statistics/median-absolute-deviation.js";
import { percentileOfSorted } from "./percentile.js";
import {
  endOf,
  forget,
  openSlidingWindows,
  samplesOf,
  slide,
  startOf,
  type SlidingWindows,
} from "./sliding-windows.js";
import { firstAfter } from "./window-bounds.js";

/** Which statistics of which windows. Columns: for each window those wanted, in the order that they have here. */
export interface RollingPlan {
  windowsMs: readonly number[];
  mean: boolean;
  standardDeviation: boolean;
  /** Percentiles as fractions (see `fractionOf`), in the order of their columns. */
  fractions: readonly number[];
  minimum?: boolean;
  maximum?: boolean;
  count?: boolean;
  medianAbsoluteDeviation?: boolean;
  coefficientOfVariation?: boolean;
}

/** What one series keeps from row to row: a cache without influence on any result. */
export type RollingState = SlidingWindows;

export function openRollingState(plan: RollingPlan): RollingState {
  return openSlidingWindows(needsOrder(plan) ? plan.windowsMs.length : 0);
}

/** Whether a statistic asks for the values in order. */
function needsOrder(plan: RollingPlan): boolean {
  const { fractions, minimum, maximum, count, medianAbsoluteDeviation: deviation } = plan;
  return fractions.length > 0 || minimum === true || maximum === true || count === true || deviation === true;
}

/**
 * To be called after any change of the samples but appending newer ones and dropping the oldest (see
 * `SlidingWindows`).
 */
export const forgetRollingState: (state: RollingState) => void = forget;

/** How many columns `rollingFeatures` writes. */
export function rollingWidth(plan: RollingPlan): number {
  const { mean, standardDeviation, minimum, maximum, count } = plan;
  const flags = [mean, standardDeviation, minimum, maximum, count];
  const others = [plan.medianAbsoluteDeviation, plan.coefficientOfVariation];
  return plan.windowsMs.length * ([...flags, ...others].filter(Boolean).length + plan.fractions.length);
}

/**
 * Writes the features of the row at index `end - 1` at `out[outOffset]`, `rollingWidth(plan)` numbers, NaN
 * for those without a value. `timestamps` (milliseconds, strictly ascending) and `values` of the series are
 * at `first ... end - 1`; windows are (t − w, t]; values that are not finite are in no window. Equal to
 * `mean`, `standardDeviation` and the percentiles of each window by itself, bit for bit.
 */
export function rollingFeatures(
  plan: RollingPlan,
  state: RollingState,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const { windowsMs } = plan;
  const sorts = needsOrder(plan);
  if (sorts) slide(state, windowsMs, timestamps, values, first, end);
  let column = outOffset;
  for (let w = 0; w < windowsMs.length; w++) {
    const from = sorts
      ? end - samplesOf(state, w)
      : firstAfter(timestamps, first, end, timestamps[end - 1] - windowsMs[w]);
    if ((plan.mean && plan.standardDeviation) || plan.coefficientOfVariation) {
      meanAndStandardDeviation(values, from, end, both, 0);
      if (plan.mean) out[column++] = both[0];
      if (plan.standardDeviation) out[column++] = both[1];
    } else if (plan.mean) {
      out[column++] = mean(values, from, end);
    } else if (plan.standardDeviation) {
      out[column++] = standardDeviation(values, from, end);
    }
    if (sorts) column = ofSorted(plan, state, w, out, column);
    if (plan.coefficientOfVariation)
      out[column++] = coefficientOfVariation(values, from, end, both[0], both[1]);
  }
}

/** Mean and standard deviation of one window. */
const both = new Float64Array(2);

/** Writes what the window's values in order tell; returns the next column. */
function ofSorted(
  plan: RollingPlan,
  state: RollingState,
  w: number,
  out: Float64Array,
  outOffset: number,
): number {
  const { cells } = state;
  const start = startOf(state, w);
  const stop = endOf(state, w);
  const isEmpty = start === stop;
  let column = outOffset;
  for (const fraction of plan.fractions) out[column++] = percentileOfSorted(cells, start, stop, fraction);
  if (plan.minimum) out[column++] = isEmpty ? NaN : cells[start];
  if (plan.maximum) out[column++] = isEmpty ? NaN : cells[stop - 1];
  if (plan.count) out[column++] = stop - start;
  if (plan.medianAbsoluteDeviation) out[column++] = medianAbsoluteDeviation(cells, start, stop);
  return column;
}
