import { finiteValues } from "./finite-values.js";
import { compensatedSum, sum } from "./sum.js";

/** Sums of squares below this may have lost bits of theirs below the smallest doubles. */
export const smallestSafeSquares = 2 ** -900;

/**
 * A variance of so many squared means has cancelled too many bits of the mean: its sum is done in twice the
 * precision.
 */
export const cancelledRatio = 2 ** 20;

/**
 * Writes two numbers at `out[outOffset]`: mean and standard deviation with ddof = 1 of the finite ones of
 * `values[first ... end - 1]`, NaN for what has too few values: pandas `rolling(w).mean()` and `.std()`.
 *
 * Two passes: rough mean, then the sums of the differences from it and of their squares; the first takes off
 * what rounding did to the mean and to the second (Chan, Golub, LeVeque 1983, "Algorithms for computing the
 * sample variance", the corrected two-pass algorithm). Of constants the mean is the constant and the
 * deviation exactly 0. Sums and squares beyond the range of doubles are done on scaled values (pandas answers
 * NaN, Infinity or 0 there).
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
    ofUnusual(finiteValues(values, first, end), count, out, outOffset);
  }
}

/** Mean of the finite ones of `values[first ... end - 1]`, NaN for none. */
export function mean(values: Float64Array, first: number, end: number): number {
  const both = new Float64Array(2);
  meanAndStandardDeviation(values, first, end, both, 0);
  return both[0];
}

/**
 * Standard deviation with ddof = 1 of the finite ones of `values[first ... end - 1]`, NaN for fewer than two.
 */
export function standardDeviation(values: Float64Array, first: number, end: number): number {
  const both = new Float64Array(2);
  meanAndStandardDeviation(values, first, end, both, 0);
  return both[1];
}

/** Whether all values are one finite number. Costs next to nothing where they are not. */
function isConstant(values: Float64Array, first: number, end: number): boolean {
  const value = values[first];
  let i = first + 1;
  while (i < end && values[i] === value) i++;
  return i === end && value - value === 0;
}

/**
 * Writes mean and sum of the squared differences from it, in four lanes as `sum`. Not finite where a value or
 * a sum is not.
 */
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
  const squares = aa + bb + (cc + dd) - (differences * differences) / count;
  const refined = rough + differences / count;
  const cancelled = squares > cancelledRatio * count * refined * refined;
  out[outOffset] = (cancelled ? compensatedSum(values, first, end) / count : refined) + 0;
  out[outOffset + 1] = squares;
}

/** Of the finite ones of `count` values. */
function ofUnusual(finite: Float64Array, count: number, out: Float64Array, outOffset: number): void {
  if (finite.length < 2) {
    out[outOffset] = finite.length === 1 ? finite[0] + 0 : NaN;
    out[outOffset + 1] = NaN;
  } else if (finite.length < count) {
    meanAndStandardDeviation(finite, 0, finite.length, out, outOffset);
  } else {
    ofExtreme(finite, out, outOffset);
  }
}

/**
 * Of values whose sum or squares overflow or underflow: scaled by a power of two, which is exact. Changes
 * `finite`.
 */
function ofExtreme(finite: Float64Array, out: Float64Array, outOffset: number): void {
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest > 2 ** 300 ? 2 ** -600 : largest < 2 ** -300 ? 2 ** 600 : 1;
  for (let i = 0; i < finite.length; i++) finite[i] *= scale;
  moments(finite, 0, finite.length, out, outOffset);
  out[outOffset] = out[outOffset] / scale + 0;
  out[outOffset + 1] = Math.sqrt(Math.max(0, out[outOffset + 1]) / (finite.length - 1)) / scale;
}
