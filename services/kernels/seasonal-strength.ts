import type { Decomposition } from "./decomposition.js";
import { noiseShare } from "./iqr.js";
import { standardDeviation } from "./mean-and-deviation.js";

/**
 * Writes two numbers at `out[outOffset]`, from 0 (none) to 1: how strong the seasonal part of an additive
 * decomposition is, max(0, 1 − Var R / Var(S + R)), and its trend, the same with T (Wang, Smith, Hyndman 2006,
 * "Characteristic-based clustering for time series data"). Over the samples among the first `count` that have a
 * residual; NaN for none. A variance that is nothing but rounding of the parts is 0, and 0 over 0 is no strength.
 * `scratch` has room for `count` numbers.
 */
export function decompositionStrengths(
  { trend, seasonal, residual }: Decomposition,
  count: number,
  scratch: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  let first = 0;
  while (first < count && Number.isNaN(residual[first])) first++;
  let end = count;
  while (end > first && Number.isNaN(residual[end - 1])) end--;
  let size = 0;
  for (let i = first; i < end; i++) size = Math.max(size, Math.abs(trend[i]), Math.abs(seasonal[i]));
  const noise = standardDeviation(residual, first, end);
  out[outOffset] = strength(seasonal, residual, noise, first, end, size, scratch);
  out[outOffset + 1] = strength(trend, residual, noise, first, end, size, scratch);
}

function strength(
  part: Float64Array,
  residual: Float64Array,
  noise: number,
  first: number,
  end: number,
  size: number,
  scratch: Float64Array,
): number {
  if (end <= first) return NaN;
  for (let i = first; i < end; i++) scratch[i] = part[i] + residual[i];
  const both = standardDeviation(scratch, first, end);
  // Of one sample, NaN: there is no variance.
  if (!(both > noiseShare * size)) return 0;
  const share = noise / both;
  return Math.max(0, 1 - share * share);
}
