/**
 * The percentile of `sorted[start ... end - 1]` (ascending, finite) at `fraction` (0 to 1), interpolated
 * linearly; NaN for none. Exactly pandas `rolling(w).quantile(fraction)`: the same operations in the same
 * order as in its `roll_quantile` (pandas/_libs/window/aggregations.pyx), except where the distance of two
 * neighbours overflows, where pandas answers Infinity.
 */
export function percentileOfSorted(
  sorted: Float64Array,
  start: number,
  end: number,
  fraction: number,
): number {
  return end <= start ? NaN : percentileOfSome(sorted, start, end, fraction);
}

function percentileOfSome(sorted: Float64Array, start: number, end: number, fraction: number): number {
  const position = fraction * (end - start - 1);
  // Floored, and as an integer to the compiler too.
  const below = position | 0;
  const low = sorted[start + below];
  return position === below ? low : between(low, sorted[start + below + 1], position - below);
}

/** Writes the percentiles at all `fractions` at `out[outOffset]`. */
export function percentilesOfSorted(
  sorted: Float64Array,
  start: number,
  end: number,
  fractions: readonly number[],
  out: Float64Array,
  outOffset: number,
): void {
  if (end <= start) out.fill(NaN, outOffset, outOffset + fractions.length);
  else
    for (let i = 0; i < fractions.length; i++)
      out[outOffset + i] = percentileOfSome(sorted, start, end, fractions[i]);
}

/** As `percentileOfSorted` once the value at index `left` is taken out. */
export function percentileWithout(
  sorted: Float64Array,
  start: number,
  end: number,
  left: number,
  fraction: number,
): number {
  if (end - start <= 1) return NaN;
  const position = fraction * (end - start - 2);
  const below = position | 0;
  const lower = start + below + (start + below < left ? 0 : 1);
  const low = sorted[lower];
  return position === below
    ? low
    : between(low, sorted[lower + (lower + 1 === left ? 2 : 1)], position - below);
}

function between(low: number, high: number, share: number): number {
  const distance = high - low;
  return distance < Infinity ? low + distance * share : low * (1 - share) + high * share;
}

/** 99.9 → 0.999, the double nearest to the decimal number, which 99.9 / 100 is not. */
export function fractionOf(percentile: number): number {
  return Number(`${percentile}e-2`);
}
