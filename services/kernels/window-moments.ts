import { cancelledRatio, meanAndStandardDeviation, smallestSafeSquares } from "./mean-and-deviation.js";
import { smallestSafeProducts, trendSlope } from "./trend-slope.js";
import { firstAfter } from "./window-bounds.js";
import { countCell, levelCell, sumCells, xCell, xxCell, xyCell, yCell, yyCell } from "./window-sums.js";

/**
 * Writes mean and standard deviation with ddof = 1 of the window of values `values[first ... end - 1]` at `out[outOffset]`, from its
 * sums at `sums[w * sumCells]`: as `meanAndStandardDeviation`, but for their last bits. The
 * values themselves are asked only where sums cancel, overflow, or vanish.
 *
 * The level is one of the values, so that none is further from the mean than the root of the sum of squares (Chan, Golub,
 * LeVeque 1983, "Algorithms for computing the sample variance", shifted data): n values cost at most a factor of n on the last
 * bit, a small one as a rule. Of constants the mean is the constant and the deviation exactly 0.
 */
export function meanAndDeviationOfSums(
  sums: Float64Array,
  w: number,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const at = w * sumCells;
  const count = sums[at + countCell];
  const differences = sums[at + yCell];
  const mean = sums[at + levelCell] + differences / count;
  const squares = sums[at + yyCell] - (differences * differences) / count;
  const isPlain =
    squares >= smallestSafeSquares && squares < Infinity && squares <= cancelledRatio * count * mean * mean;
  if (isPlain || sums[at + yyCell] === 0) {
    out[outOffset] = mean + 0;
    out[outOffset + 1] = count > 1 ? Math.sqrt(squares / (count - 1)) : NaN;
  } else {
    meanAndStandardDeviation(values, first, end, out, outOffset);
  }
}

/**
 * Least-squares slope, per second, of the window of `windowMs` of the row at `end - 1` from its sums: as `trendSlope`, but for
 * its last bits.
 */
export function slopeOfSums(
  sums: Float64Array,
  w: number,
  windowMs: number,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
): number {
  const at = w * sumCells;
  const count = sums[at + countCell];
  if (count < 2) return NaN;
  if (sums[at + yyCell] === 0) return 0;
  const x = sums[at + xCell];
  const products = sums[at + xyCell] - (x * sums[at + yCell]) / count;
  const slope = (products / (sums[at + xxCell] - (x * x) / count)) * 1000;
  const size = Math.abs(slope);
  if (size >= smallestSafeProducts && size < Infinity) return slope;
  const from = firstAfter(timestamps, first, end, timestamps[end - 1] - windowMs);
  return trendSlope(timestamps, values, from, end);
}
