import { mean, meanAndStandardDeviation, standardDeviation } from "./mean-and-deviation.js";
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

/**
 * Which statistics of which windows. Columns: for each window mean, standard deviation, percentiles, as far
 * as wanted.
 */
export interface RollingPlan {
  windowsMs: readonly number[];
  mean: boolean;
  standardDeviation: boolean;
  /** Percentiles as fractions (see `fractionOf`), in the order of their columns. */
  fractions: readonly number[];
}

/** What one series keeps from row to row: a cache without influence on any result. */
export type RollingState = SlidingWindows;

export function openRollingState(plan: RollingPlan): RollingState {
  return openSlidingWindows(plan.fractions.length > 0 ? plan.windowsMs.length : 0);
}

/**
 * To be called after any change of the samples but appending newer ones and dropping the oldest (see
 * `SlidingWindows`).
 */
export const forgetRollingState: (state: RollingState) => void = forget;

/** How many columns `rollingFeatures` writes. */
export function rollingWidth(plan: RollingPlan): number {
  return plan.windowsMs.length * (Number(plan.mean) + Number(plan.standardDeviation) + plan.fractions.length);
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
  const { windowsMs, fractions } = plan;
  const sorts = fractions.length > 0;
  if (sorts) slide(state, windowsMs, timestamps, values, first, end);
  let column = outOffset;
  for (let w = 0; w < windowsMs.length; w++) {
    const from = sorts
      ? end - samplesOf(state, w)
      : firstAfter(timestamps, first, end, timestamps[end - 1] - windowsMs[w]);
    if (plan.mean && plan.standardDeviation) {
      meanAndStandardDeviation(values, from, end, out, column);
      column += 2;
    } else if (plan.mean) {
      out[column++] = mean(values, from, end);
    } else if (plan.standardDeviation) {
      out[column++] = standardDeviation(values, from, end);
    }
    if (!sorts) continue;
    const start = startOf(state, w);
    const stop = endOf(state, w);
    for (let p = 0; p < fractions.length; p++) {
      out[column++] = percentileOfSorted(state.cells, start, stop, fractions[p]);
    }
  }
}
