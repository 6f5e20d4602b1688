import { meanAndStandardDeviation } from "../mean-and-deviation.js";

/**
 * Standard deviation (ddof = 1) ÷ mean of the finite ones of `values[first ... end - 1]`: scipy's
 * `variation(ddof=1)`, which has the mean's sign. NaN for fewer than two values, and where the mean is 0
 * (scipy: ±Infinity). `mean` and `standardDeviation` are those of `meanAndStandardDeviation`; where they are
 * denormals with few bits, or overflow, the values are scaled by a power of two.
 */
export function coefficientOfVariation(
  values: Float64Array,
  first: number,
  end: number,
  mean: number,
  standardDeviation: number,
): number {
  const size = Math.max(Math.abs(mean), standardDeviation);
  if (size > 2 ** -900 && size < Infinity) return mean === 0 ? NaN : standardDeviation / mean;
  const scale = size < 1 ? 2 ** 600 : 1 / 4;
  const scaled = values.slice(first, end).map((value) => value * scale);
  const both = new Float64Array(2);
  meanAndStandardDeviation(scaled, 0, scaled.length, both, 0);
  return both[0] === 0 ? NaN : both[1] / both[0];
}
