import { finiteValues } from "./finite-values.js";

/**
 * Mean of the finite ones of `values[first ... end - 1]`, NaN where there are none: pandas `rolling(w).mean()`.
 *
 * Two passes, the second over the differences from the first one's result: this takes off what the sum had rounded
 * away, and what is left is an error of about one ulp of the largest value. Constants come out as they are, and sums beyond the range of
 * doubles do not overflow (pandas answers NaN there, and for as long as its running sum lives).
 */
export function mean(values: Float64Array, first: number, end: number): number {
  const count = end - first;
  if (isConstant(values, first, end)) return values[first] + 0;
  const rough = sum(values, first, end) / count;
  const result = rough + sumOfDifferences(values, first, end, rough) / count + 0;
  return result - result === 0 ? result : meanOfUnusual(values, first, end);
}

/** Whether all values are one finite number. Costs next to nothing where they are not. */
export function isConstant(values: Float64Array, first: number, end: number): boolean {
  const value = values[first];
  let i = first + 1;
  while (i < end && values[i] === value) i++;
  return i === end && value - value === 0;
}

/**
 * Sum in an order that depends on the count only: four interleaved lanes from the first value on, so that an addition need not wait
 * for the one before it. Not finite where a value is not, or where a sum overflows.
 */
export function sum(values: Float64Array, first: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = first;
  for (; i + 3 < end; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  if (i < end) a += values[i];
  if (i + 1 < end) b += values[i + 1];
  if (i + 2 < end) c += values[i + 2];
  return a + b + (c + d);
}

function sumOfDifferences(values: Float64Array, first: number, end: number, from: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = first;
  for (; i + 3 < end; i += 4) {
    a += values[i] - from;
    b += values[i + 1] - from;
    c += values[i + 2] - from;
    d += values[i + 3] - from;
  }
  if (i < end) a += values[i] - from;
  if (i + 1 < end) b += values[i + 1] - from;
  if (i + 2 < end) c += values[i + 2] - from;
  return a + b + (c + d);
}

/** Values that are not finite are left out; sums that overflow are done on values scaled by a power of two, which is exact. */
function meanOfUnusual(values: Float64Array, first: number, end: number): number {
  const finite = finiteValues(values, first, end);
  if (finite.length === 0) return NaN;
  if (finite.length < end - first) return mean(finite, 0, finite.length);
  const scaled = mean(
    finite.map((value) => value * 2 ** -64),
    0,
    finite.length,
  );
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, scaled * 2 ** 64));
}
