const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);
const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);

/** What follows the largest single, as far as rounding is concerned. */
const singleOverflow = 2 ** 128;

/**
 * The largest double that is not above the finite `threshold` once it is rounded to single precision (to the nearest,
 * ties to even): for every x, `Math.fround(x) <= threshold` where x is not above it, and only there.
 */
export function lastRoundedUpTo(threshold: number): number {
  const rounded = Math.fround(threshold);
  const below = rounded > threshold ? neighbour(rounded, -1) : rounded;
  const above = neighbour(below, 1);
  const middle = (withinRange(below) + withinRange(above)) / 2;
  return Math.fround(middle) <= below ? middle : doubleBefore(middle);
}

/** The next single above (1) or below (−1). */
function neighbour(of: number, step: 1 | -1): number {
  if (of === 0) return step * 2 ** -149;
  single[0] = of;
  singleBits[0] += of > 0 ? step : -step;
  return single[0];
}

function withinRange(single: number): number {
  return Math.max(-singleOverflow, Math.min(singleOverflow, single));
}

/** Of a number that is not 0. */
function doubleBefore(of: number): number {
  double[0] = of;
  doubleBits[0] += of > 0 ? -1n : 1n;
  return double[0];
}
