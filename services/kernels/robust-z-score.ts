import { constantSpreadShare, minimumOthers, noiseShare } from "./iqr.js";
import { placeOf } from "./sorted-values.js";
import { scoreAndFences } from "./z-score.js";

/** Outliers have a modified z-score beyond this (Iglewicz and Hoaglin 1993, "How to detect and handle outliers"). */
export const robustZScoreLimit = 3.5;

/** The median absolute deviation of the normal distribution, as a share of its standard deviation. */
const medianDeviationShare = 0.6745;

/** The standard deviation of the normal distribution, in mean absolute deviations: √(π/2). */
const perMeanDeviation = 1.253314;

/**
 * Whether the modified z-score 0.6745 (x − median) / MAD of `value` among the others in `sorted[start ... end - 1]`, which
 * must hold it, is beyond ±3.5: MAD is the median of the others' distances from their median. Writes at `out[outOffset]`
 * the score and the two fences; NaN where nobody can be judged: for fewer than `minimumOthers` others, where nothing gives
 * a scale, and for a value that is not finite.
 *
 * Where more than half of the others are equal, so that MAD = 0, it is (x − median) / (1.253314 · mean distance), as Iglewicz
 * and Hoaglin have it; where all are, the deviation is taken to be 1 % of their size, as in iqr.ts. A score beyond the
 * doubles is the largest of them.
 */
export function isRobustZScoreOutlier(
  sorted: Float64Array,
  start: number,
  end: number,
  value: number,
  out: Float64Array,
  outOffset: number,
): boolean {
  if (end - start <= minimumOthers || value - value !== 0) {
    out.fill(NaN, outOffset, outOffset + 3);
    return false;
  }
  const left = placeOf(sorted, start, end, value);
  const scale = scaleOf(sorted[start], sorted[end - 1]);
  const median = medianWithout(sorted, start, end, left, scale);
  const deviation = robustDeviation(sorted, start, end, left, median, scale);
  const outlier = scoreAndFences(value * scale, median, deviation, robustZScoreLimit, out, outOffset);
  out[outOffset + 1] /= scale;
  out[outOffset + 2] /= scale;
  return outlier;
}

/** A power of two that keeps the distances of values from `low` to `high` from overflow and from rounding. */
function scaleOf(low: number, high: number): number {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return largest > 2 ** 1000 ? 2 ** -20 : largest < 2 ** -900 ? 2 ** 600 : 1;
}

/** What takes the place of the standard deviation; like `median` it is of the values times `scale`. */
function robustDeviation(
  sorted: Float64Array,
  start: number,
  end: number,
  left: number,
  median: number,
  scale: number,
): number {
  const level = Math.abs(median);
  const byMedian = medianDeviationWithout(sorted, start, end, left, median, scale);
  if (byMedian > noiseShare * level) return byMedian / medianDeviationShare;
  const byMean = meanDeviationWithout(sorted, start, end, left, median, scale);
  return byMean > noiseShare * level ? perMeanDeviation * byMean : constantSpreadShare * level;
}

function medianWithout(
  sorted: Float64Array,
  start: number,
  end: number,
  left: number,
  scale: number,
): number {
  const count = end - start - 1;
  const upper = at(sorted, start, left, count >>> 1) * scale;
  if (count % 2 === 1) return upper;
  const lower = at(sorted, start, left, (count >>> 1) - 1) * scale;
  return lower + (upper - lower) / 2;
}

/**
 * The median of the distances from `median`. They ascend from the middle to both sides, and a binary search finds how many
 * of each side are among the smaller half.
 */
function medianDeviationWithout(
  sorted: Float64Array,
  start: number,
  end: number,
  left: number,
  median: number,
  scale: number,
): number {
  const count = end - start - 1;
  const half = count >>> 1;
  /** Distance of the k-th value below the middle, or from it on: the 0-th is the nearest. */
  const below = (k: number): number => median - at(sorted, start, left, half - 1 - k) * scale;
  const above = (k: number): number => at(sorted, start, left, half + k) * scale - median;

  const smaller = (count + 1) >>> 1;
  let fewest = Math.max(0, smaller - (count - half));
  let most = Math.min(smaller, half);
  while (fewest < most) {
    const taken = (fewest + most) >>> 1;
    if (below(taken) >= above(smaller - taken - 1)) most = taken;
    else fewest = taken + 1;
  }
  const others = smaller - fewest;
  const lower = Math.max(fewest > 0 ? below(fewest - 1) : 0, others > 0 ? above(others - 1) : 0);
  if (count % 2 === 1) return lower;
  const upper = Math.min(
    fewest < half ? below(fewest) : Infinity,
    others < count - half ? above(others) : Infinity,
  );
  return lower + (upper - lower) / 2;
}

function meanDeviationWithout(
  sorted: Float64Array,
  start: number,
  end: number,
  left: number,
  median: number,
  scale: number,
): number {
  let sum = 0;
  for (let i = start; i < end; i++) if (i !== left) sum += Math.abs(sorted[i] * scale - median);
  return sum / (end - start - 1);
}

/** Value `index` of those that are left without `left`. */
function at(sorted: Float64Array, start: number, left: number, index: number): number {
  const place = start + index;
  return sorted[place < left ? place : place + 1];
}
