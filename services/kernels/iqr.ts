import { percentileWithout } from "./percentile.js";
import { placeOf } from "./sorted-values.js";

/** Tukey's factor: fences lie this many interquartile ranges outside the quartiles. */
export const fenceFactor = 1.5;

/** Fewer other values than this judge nobody: the quartiles of so few say little. */
export const minimumOthers = 10;

/** A spread below this share of the level is rounding noise, and counts as none. */
export const noiseShare = 1e-12;

/** The spread that a window of equal values is taken to have, as a share of its level. */
export const constantSpreadShare = 0.01;

/**
 * Whether `value` lies outside Q1 − 1.5 · IQR … Q3 + 1.5 · IQR of the others in `sorted[start ... end - 1]`,
 * which must hold it. Writes the two fences at `out[outOffset]`, NaN where nobody can be judged: for fewer
 * than `minimumOthers` others, where nothing gives a scale, and for a value that is not finite.
 *
 * A middle half of equal values has no range (IQR = 0): then the middle nine tenths (5th to 95th percentile)
 * take its place, or a series that is mostly idle would be all outliers; if they are equal too, 1 % of their
 * size; and values of 0 give no scale at all.
 */
export function isIqrOutlier(
  sorted: Float64Array,
  start: number,
  end: number,
  value: number,
  out: Float64Array,
  outOffset: number,
): boolean {
  out[outOffset] = NaN;
  out[outOffset + 1] = NaN;
  if (end - start <= minimumOthers || value - value !== 0) return false;
  const left = placeOf(sorted, start, end, value);
  let low = percentileWithout(sorted, start, end, left, 0.25);
  let high = percentileWithout(sorted, start, end, left, 0.75);
  if (isNoise(low, high)) {
    low = percentileWithout(sorted, start, end, left, 0.05);
    high = percentileWithout(sorted, start, end, left, 0.95);
  }
  const range = isNoise(low, high)
    ? constantSpreadShare * Math.max(Math.abs(low), Math.abs(high))
    : high - low;
  if (range === 0) return false;
  out[outOffset] = low - fenceFactor * range;
  out[outOffset + 1] = high + fenceFactor * range;
  return value < out[outOffset] || value > out[outOffset + 1];
}

function isNoise(low: number, high: number): boolean {
  return high - low <= noiseShare * Math.max(Math.abs(low), Math.abs(high));
}
