/**
 * The median of `sorted[start ... end - 1]` (ascending, finite), NaN for none: numpy's, the half of the sum
 * of the middle two, where that does not overflow.
 */
export function medianOfSorted(sorted: Float64Array, start: number, end: number): number {
  if (end <= start) return NaN;
  const above = (start + end) >>> 1;
  return (end - start) % 2 === 1 ? sorted[above] : middle(sorted[above - 1], sorted[above]);
}

/** Half the sum; of halves where the sum overflows. */
export function middle(low: number, high: number): number {
  const total = low + high;
  return total - total === 0 ? total / 2 : low / 2 + high / 2;
}
