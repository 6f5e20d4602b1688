import { constantSpreadShare, minimumOthers, noiseShare } from "./iqr.js";
import { meanAndStandardDeviation } from "./mean-and-deviation.js";

/** Outliers are farther than this many standard deviations from the mean. */
export const zScoreLimit = 3;

/** The mean of smaller values may be rounded to one of the smallest doubles. */
const smallestExact = 2 ** -900;

/**
 * Whether `values[scored]` lies more than three standard deviations (ddof = 0) from the mean of the other finite ones of
 * `values[first ... end - 1]`. Writes at `out[outOffset]` its z-score and the two fences, mean ∓ 3 deviations; NaN
 * where nobody can be judged: for fewer than `minimumOthers` others, where nothing gives a scale, and for a value that
 * is not finite. The score is scipy's `zscore(…, ddof=0)`, but with the mean and deviation of the others: among them, a
 * value cannot be farther than √(n − 1) deviations away, so that of ten none would ever be an outlier.
 *
 * Of equal values the deviation is taken to be 1 % of their size, as in iqr.ts; values of 0 give no scale at all. A score
 * beyond the doubles is the largest of them. Copies the window where `scored` is neither its first nor its last.
 */
export function isZScoreOutlier(
  values: Float64Array,
  first: number,
  end: number,
  scored: number,
  out: Float64Array,
  outOffset: number,
): boolean {
  const value = values[scored];
  const others = countFinite(values, first, end) - 1;
  if (value - value !== 0 || others < minimumOthers) {
    out.fill(NaN, outOffset, outOffset + 3);
    return false;
  }
  if (scored === end - 1) meanAndStandardDeviation(values, first, scored, out, outOffset);
  else if (scored === first) meanAndStandardDeviation(values, first + 1, end, out, outOffset);
  else meanAndStandardDeviation(without(values, first, end, scored), 0, end - first - 1, out, outOffset);

  const mean = out[outOffset];
  const deviation = out[outOffset + 1] * Math.sqrt((others - 1) / others);
  const level = Math.abs(mean);
  if (level + deviation > 0 && level + deviation < smallestExact)
    return isOutlierScaled(values, first, end, scored, out, outOffset);
  return scoreAndFences(
    value,
    mean,
    deviation > noiseShare * level ? deviation : constantSpreadShare * level,
    zScoreLimit,
    out,
    outOffset,
  );
}

/** The same, of tiny values, on larger ones: times a power of two, which is exact. */
function isOutlierScaled(
  values: Float64Array,
  first: number,
  end: number,
  scored: number,
  out: Float64Array,
  outOffset: number,
): boolean {
  const scale = 2 ** 600;
  const larger = values.slice(first, end).map((value) => value * scale);
  // The scored value need not be tiny.
  larger[scored - first] = withinDoubles(values[scored] * scale);
  const outlier = isZScoreOutlier(larger, 0, larger.length, scored - first, out, outOffset);
  out[outOffset + 1] /= scale;
  out[outOffset + 2] /= scale;
  return outlier;
}

/**
 * Writes how many `deviation`s `value` is above `middle`, and the fences `limit` of them away; NaN where the deviation is
 * 0. Whether the value lies farther off.
 */
export function scoreAndFences(
  value: number,
  middle: number,
  deviation: number,
  limit: number,
  out: Float64Array,
  outOffset: number,
): boolean {
  if (deviation === 0) {
    out.fill(NaN, outOffset, outOffset + 3);
    return false;
  }
  const distance = value - middle;
  const score = Number.isFinite(distance) ? distance / deviation : (value / 2 - middle / 2) / (deviation / 2);
  out[outOffset] = withinDoubles(score);
  out[outOffset + 1] = middle - limit * deviation;
  out[outOffset + 2] = middle + limit * deviation;
  return Math.abs(score) > limit;
}

function withinDoubles(number: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, number));
}

function countFinite(values: Float64Array, first: number, end: number): number {
  let count = 0;
  for (let i = first; i < end; i++) if (values[i] - values[i] === 0) count++;
  return count;
}

function without(values: Float64Array, first: number, end: number, left: number): Float64Array {
  const others = new Float64Array(end - first - 1);
  others.set(values.subarray(first, left));
  others.set(values.subarray(left + 1, end), left - first);
  return others;
}
