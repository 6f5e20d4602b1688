import { finiteValues } from "./finite-values.js";
import { isConstant, mean, sum } from "./mean.js";

/** Sums of squares below this may have lost bits of theirs below the smallest doubles. */
const smallestSafeSquares = 2 ** -900;

/**
 * Writes two numbers at `out[outOffset]`: mean (the same bits as `mean`) and standard deviation with ddof = 1 of the finite ones
 * of `values[first ... end - 1]`, NaN for what has too few values: pandas `rolling(w).mean()` and `.std()`.
 *
 * Two passes: rough mean, then the sums of the differences from it and of their squares, the first correcting the second
 * (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", the corrected two-pass algorithm). The deviation
 * of constants is exactly 0. Squares beyond the range of doubles are done on scaled values (pandas answers Infinity or 0 there).
 */
export function meanAndStandardDeviation(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = end - first;
  if (isConstant(values, first, end)) {
    out[outOffset] = values[first] + 0;
    out[outOffset + 1] = count > 1 ? 0 : NaN;
    return;
  }
  moments(values, first, end, out, outOffset);
  const squares = out[outOffset + 1];
  if (squares >= smallestSafeSquares && squares < Infinity) {
    out[outOffset + 1] = Math.sqrt(squares / (count - 1));
  } else {
    ofUnusual(values, first, end, out, outOffset);
  }
}

/** Standard deviation with ddof = 1 of the finite ones of `values[first ... end - 1]`; NaN for fewer than two. */
export function standardDeviation(values: Float64Array, first: number, end: number): number {
  const both = new Float64Array(2);
  meanAndStandardDeviation(values, first, end, both, 0);
  return both[1];
}

/** Writes mean and sum of the squared differences from it. */
function moments(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = end - first;
  const rough = sum(values, first, end) / count;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let aa = 0;
  let bb = 0;
  let cc = 0;
  let dd = 0;
  let i = first;
  for (; i + 3 < end; i += 4) {
    const p = values[i] - rough;
    const q = values[i + 1] - rough;
    const r = values[i + 2] - rough;
    const s = values[i + 3] - rough;
    a += p;
    b += q;
    c += r;
    d += s;
    aa += p * p;
    bb += q * q;
    cc += r * r;
    dd += s * s;
  }
  if (i < end) {
    const p = values[i] - rough;
    a += p;
    aa += p * p;
  }
  if (i + 1 < end) {
    const q = values[i + 1] - rough;
    b += q;
    bb += q * q;
  }
  if (i + 2 < end) {
    const r = values[i + 2] - rough;
    c += r;
    cc += r * r;
  }
  const differences = a + b + (c + d);
  out[outOffset] = rough + differences / count + 0;
  out[outOffset + 1] = aa + bb + (cc + dd) - (differences * differences) / count;
}

function ofUnusual(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const finite = finiteValues(values, first, end);
  const count = finite.length;
  if (count < end - first && count > 0) {
    meanAndStandardDeviation(finite, 0, count, out, outOffset);
    return;
  }
  out[outOffset] = mean(finite, 0, count);
  out[outOffset + 1] = count > 1 ? scaledStandardDeviation(finite) : NaN;
}

/** Of finite values whose squares overflow or underflow: scaled by a power of two, which is exact. Changes its argument. */
function scaledStandardDeviation(finite: Float64Array): number {
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest > 2 ** 300 ? 2 ** -600 : largest < 2 ** -300 ? 2 ** 600 : 1;
  for (let i = 0; i < finite.length; i++) finite[i] *= scale;
  const both = new Float64Array(2);
  moments(finite, 0, finite.length, both, 0);
  return Math.sqrt(Math.max(0, both[1]) / (finite.length - 1)) / scale;
}
