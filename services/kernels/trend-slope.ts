/** Products of differences below this may have lost bits of theirs below the smallest doubles. */
export const smallestSafeProducts = 2 ** -900;

/**
 * Least-squares slope, per second, of the finite ones of `values[first ... end - 1]` over `timestamps`
 * (milliseconds, strictly ascending); NaN for fewer than two: scipy's `linregress(seconds, values).slope`. Of
 * constants exactly 0. Prometheus's `deriv` is the same but for its rounding (`deriv.ts`).
 *
 * The sums are anchored in the window: differences from its first time and value, and what that is off the
 * mean is taken off at the end (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance",
 * shifted data). No value is further from the mean than the root of the sum of squares, so n values cost at
 * most a factor of n on the last bit, a small one as a rule, and half of what two passes take.
 */
export function trendSlope(
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
): number {
  const slope = scaledSlope(timestamps, values, first, end, 1);
  if (Math.abs(slope) >= smallestSafeProducts && Math.abs(slope) < Infinity) return slope;
  return ofUnusual(timestamps, values, first, end);
}

/** The slope times `scale`; not finite where sums overflow, 0 where they underflow. */
function scaledSlope(
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  scale: number,
): number {
  let pivot = first;
  while (pivot < end && values[pivot] - values[pivot] !== 0) pivot++;
  const level = values[pivot] * scale;
  const originMs = timestamps[pivot];
  let count = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  for (let i = pivot; i < end; i++) {
    const value = values[i];
    if (value - value !== 0) continue;
    const dx = timestamps[i] - originMs;
    const dy = value * scale - level;
    count++;
    x += dx;
    y += dy;
    xx += dx * dx;
    xy += dx * dy;
  }
  return count < 2 ? NaN : ((xy - (x * y) / count) / (xx - (x * x) / count)) * 1000;
}

/** Of values whose products overflow or vanish: scaled by a power of two, which is exact. */
function ofUnusual(timestamps: Float64Array, values: Float64Array, first: number, end: number): number {
  let largest = 0;
  for (let i = first; i < end; i++) {
    const size = Math.abs(values[i]);
    if (size > largest && size < Infinity) largest = size;
  }
  const scale = largest > 2 ** 300 ? 2 ** -600 : largest < 2 ** -300 ? 2 ** 600 : 1;
  return scaledSlope(timestamps, values, first, end, scale) / scale + 0;
}
