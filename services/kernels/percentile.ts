/**
 * The percentile of `sorted[0 ... length - 1]` (ascending, finite) at `fraction` (0 to 1), interpolated linearly; NaN for none.
 * Exactly pandas `rolling(w).quantile(fraction)`: the same operations in the same order as in its `roll_quantile`
 * (pandas/_libs/window/aggregations.pyx), except where the distance of two neighbours overflows, where pandas answers Infinity.
 */
export function percentileOfSorted(sorted: Float64Array, length: number, fraction: number): number {
  if (length === 0) return NaN;
  const position = fraction * (length - 1);
  const index = Math.floor(position);
  const low = sorted[index];
  return position === index ? low : between(low, sorted[index + 1], position - index);
}

/** As `percentileOfSorted` once the value at index `left` is taken out. */
export function percentileWithout(
  sorted: Float64Array,
  length: number,
  left: number,
  fraction: number,
): number {
  if (length <= 1) return NaN;
  const position = fraction * (length - 2);
  const index = Math.floor(position);
  const low = sorted[index < left ? index : index + 1];
  return position === index
    ? low
    : between(low, sorted[index + 1 < left ? index + 1 : index + 2], position - index);
}

function between(low: number, high: number, share: number): number {
  const distance = high - low;
  return distance < Infinity ? low + distance * share : low * (1 - share) + high * share;
}

/** 99.9 → 0.999, the double nearest to the decimal number, which 99.9 / 100 is not. */
export function fractionOf(percentile: number): number {
  return Number(`${percentile}e-2`);
}
