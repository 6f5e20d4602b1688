import type { Decomposition } from "./decomposition.js";
import { noiseShare } from "./iqr.js";
import { percentileOfSorted } from "./percentile.js";
import { sortInto } from "./sorted-values.js";

/** The median absolute deviation of normal values, in standard deviations. */
const medianDeviation = 0.6745;

/**
 * Writes how far the residuals at `from ... count - 1` lie from the usual: 0.6745 (r − median) / MAD among all the
 * first `count` residuals (Iglewicz and Hoaglin 1993, who call it an outlier beyond ±3.5), to `out[outOffset …]`.
 * NaN where there is no residual, and where MAD is nothing but rounding of the parts, so that nothing gives a
 * scale. `scratch` has room for `count` numbers.
 */
export function residualScores(
  { trend, seasonal, residual }: Decomposition,
  from: number,
  count: number,
  scratch: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  const known = sortInto(scratch, 0, residual, 0, count);
  const median = percentileOfSorted(scratch, 0, known, 0.5);
  let size = 0;
  for (let i = 0; i < known; i++) scratch[i] = Math.abs(scratch[i] - median);
  scratch.subarray(0, known).sort();
  const deviation = percentileOfSorted(scratch, 0, known, 0.5);
  for (let i = 0; i < count; i++)
    if (!Number.isNaN(residual[i])) size = Math.max(size, Math.abs(trend[i]), Math.abs(seasonal[i]));
  const hasScale = deviation > noiseShare * size;
  for (let i = from; i < count; i++)
    out[outOffset + i - from] = hasScale ? medianDeviation * ((residual[i] - median) / deviation) : NaN;
}
