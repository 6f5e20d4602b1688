import { mean } from "./mean.js";
import { percentileOfSorted } from "./percentile.js";
import { forget, openSlidingWindow, slide, type SlidingWindow } from "./sliding-window.js";
import { meanAndStandardDeviation, standardDeviation } from "./standard-deviation.js";
import { firstAfter } from "./window-bounds.js";

/** Which statistics of which windows. Columns: for each window mean, standard deviation, percentiles, as far as wanted. */
export interface RollingPlan {
  windowsMs: readonly number[];
  mean: boolean;
  standardDeviation: boolean;
  /** Percentiles as fractions (see `fractionOf`), in the order of their columns. */
  fractions: readonly number[];
}

/** What one series keeps from row to row: one sorted window a window, a cache without influence on any result. */
export type RollingState = readonly SlidingWindow[];

export function openRollingState({ windowsMs }: RollingPlan): RollingState {
  return windowsMs.map(openSlidingWindow);
}

/** To be called after any change of the samples but appending newer ones and dropping the oldest (see `SlidingWindow`). */
export function forgetRollingState(state: RollingState): void {
  for (const window of state) forget(window);
}

/** How many columns `rollingFeatures` writes. */
export function rollingWidth(plan: RollingPlan): number {
  return plan.windowsMs.length * (Number(plan.mean) + Number(plan.standardDeviation) + plan.fractions.length);
}

/**
 * Writes the features of the row at index `end - 1` at `out[outOffset]`, `rollingWidth(plan)` numbers, NaN for those without a
 * value. `timestamps` (milliseconds, strictly ascending) and `values` of the series are at `first ... end - 1`; windows are (t − w, t];
 * values that are not finite are in no window. Equal to `mean`, `standardDeviation` and the percentiles of each window by
 * itself, bit for bit.
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
  const atMs = timestamps[end - 1];
  let column = outOffset;
  for (let w = 0; w < windowsMs.length; w++) {
    const from = firstAfter(timestamps, first, end, atMs - windowsMs[w]);
    if (plan.mean && plan.standardDeviation) {
      meanAndStandardDeviation(values, from, end, out, column);
      column += 2;
    } else if (plan.mean) {
      out[column++] = mean(values, from, end);
    } else if (plan.standardDeviation) {
      out[column++] = standardDeviation(values, from, end);
    }
    if (fractions.length === 0) continue;
    const window = state[w];
    slide(window, timestamps, values, first, from, end, atMs);
    for (let p = 0; p < fractions.length; p++) {
      out[column++] = percentileOfSorted(window.sorted, window.length, fractions[p]);
    }
  }
}
