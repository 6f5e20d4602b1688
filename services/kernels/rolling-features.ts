import { coefficientOfVariation } from "./statistics/coefficient-of-variation.js";
import { medianAbsoluteDeviation } from "./statistics/median-absolute-deviation.js";
import { percentilesOfSorted } from "./percentile.js";
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
import { meanAndDeviationOfSums, slopeOfSums } from "./window-moments.js";
import { forgetSums, openWindowSums, sumCells, sumWindows, type WindowSums } from "./window-sums.js";

/** Which statistics of which windows. Columns: for each window those wanted, in the order that they have here; then the slopes. */
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
  /** Windows whose slope is wanted. */
  slopeWindowsMs?: readonly number[];
}

/** What one series keeps from row to row: caches without influence on any result. */
export interface RollingState {
  readonly sorted: SlidingWindows;
  readonly sums: WindowSums;
}

export function openRollingState(plan: RollingPlan): RollingState {
  return {
    sorted: openSlidingWindows(needsOrder(plan) ? plan.windowsMs.length : 0),
    sums: openWindowSums(summedWindows(plan), (plan.slopeWindowsMs ?? []).length > 0),
  };
}

/** Whether a statistic asks for the values in order. */
function needsOrder(plan: RollingPlan): boolean {
  const { fractions, minimum, maximum, count, medianAbsoluteDeviation: deviation } = plan;
  return fractions.length > 0 || minimum === true || maximum === true || count === true || deviation === true;
}

function needsMoments(plan: RollingPlan): boolean {
  return plan.mean || plan.standardDeviation || plan.coefficientOfVariation === true;
}

/** The windows whose sums are asked for: those of the moments, then those of the slopes. */
function summedWindows(plan: RollingPlan): readonly number[] {
  const { windowsMs, slopeWindowsMs = [] } = plan;
  return needsMoments(plan) ? [...windowsMs, ...slopeWindowsMs] : slopeWindowsMs;
}

/**
 * To be called after any change of the samples but appending newer ones and dropping the oldest (see `SlidingWindows` and
 * `WindowSums`).
 */
export function forgetRollingState({ sorted, sums }: RollingState): void {
  forget(sorted);
  forgetSums(sums);
}

/** How many columns `rollingFeatures` writes. */
export function rollingWidth(plan: RollingPlan): number {
  const { windowsMs, slopeWindowsMs = [], mean, standardDeviation, minimum, maximum, count } = plan;
  const flags = [mean, standardDeviation, minimum, maximum, count];
  const others = [plan.medianAbsoluteDeviation, plan.coefficientOfVariation];
  const ofWindow = [...flags, ...others].filter(Boolean).length + plan.fractions.length;
  return windowsMs.length * ofWindow + slopeWindowsMs.length;
}

/**
 * Writes the features of the row at index `end - 1` at `out[outOffset]`, `rollingWidth(plan)` numbers, NaN
 * for those without a value. `timestamps` (milliseconds, strictly ascending) and `values` of the series are
 * at `first ... end - 1`; windows are (t − w, t]; values that are not finite are in no window. Bit for bit what each window
 * gives by itself, whatever state came before.
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
  const { sorted } = state;
  const sorts = needsOrder(plan);
  const hasMoments = needsMoments(plan);
  if (sorts) slide(sorted, windowsMs, timestamps, values, first, end);
  const summed = state.sums.windowsMs.length * sumCells;
  if (sums.length < summed) sums = new Float64Array(summed);
  sumWindows(state.sums, timestamps, values, first, end, sums);
  let column = outOffset;
  for (let w = 0; w < windowsMs.length; w++) {
    const from = sorts
      ? end - samplesOf(sorted, w)
      : firstAfter(timestamps, first, end, timestamps[end - 1] - windowsMs[w]);
    if (hasMoments) {
      meanAndDeviationOfSums(sums, w, values, from, end, both, 0);
      if (plan.mean) out[column++] = both[0];
      if (plan.standardDeviation) out[column++] = both[1];
    }
    if (sorts) column = ofSorted(plan, sorted, w, out, column);
    if (plan.coefficientOfVariation)
      out[column++] = coefficientOfVariation(values, from, end, both[0], both[1]);
  }
  for (let w = hasMoments ? windowsMs.length : 0; w < state.sums.windowsMs.length; w++) {
    out[column++] = slopeOfSums(sums, w, state.sums.windowsMs[w], timestamps, values, first, end);
  }
}

/** Mean and standard deviation of one window. */
const both = new Float64Array(2);
/** The sums of all windows of a row. */
let sums = new Float64Array(0);

/** Writes what the window's values in order tell; returns the next column. */
function ofSorted(
  plan: RollingPlan,
  sorted: SlidingWindows,
  w: number,
  out: Float64Array,
  outOffset: number,
): number {
  const { cells } = sorted;
  const start = startOf(sorted, w);
  const stop = endOf(sorted, w);
  const isEmpty = start === stop;
  percentilesOfSorted(cells, start, stop, plan.fractions, out, outOffset);
  let column = outOffset + plan.fractions.length;
  if (plan.minimum) out[column++] = isEmpty ? NaN : cells[start];
  if (plan.maximum) out[column++] = isEmpty ? NaN : cells[stop - 1];
  if (plan.count) out[column++] = stop - start;
  if (plan.medianAbsoluteDeviation) out[column++] = medianAbsoluteDeviation(cells, start, stop);
  return column;
}
