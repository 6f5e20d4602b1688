/**
 * What a series is made of, sample by sample: trend + seasonal + residual, or their product. The arrays are the
 * caller's, with room for the window, and written from index 0 on.
 */
export interface Decomposition {
  readonly trend: Float64Array;
  readonly seasonal: Float64Array;
  readonly residual: Float64Array;
}

export function openDecomposition(count: number): Decomposition {
  return {
    trend: new Float64Array(count),
    seasonal: new Float64Array(count),
    residual: new Float64Array(count),
  };
}

export function fillWithoutAnswer(parts: Decomposition, count: number): void {
  for (const part of [parts.trend, parts.seasonal, parts.residual]) part.fill(NaN, 0, count);
}

/**
 * Copies `values[first ... end - 1]` to the beginning of `out`, times a power of two, which is exact, where sums
 * of them could overflow or denormals lose bits. Returns that power; NaN where one is not finite.
 */
export function copyScaled(values: Float64Array, first: number, end: number, out: Float64Array): number {
  let largest = 0;
  for (let i = first; i < end; i++) {
    const size = Math.abs(values[i]);
    if (!(size < Infinity)) return NaN;
    if (size > largest) largest = size;
  }
  const scale = largest > 2 ** 1000 ? 2 ** -50 : largest < 2 ** -900 ? 2 ** 600 : 1;
  for (let i = first; i < end; i++) out[i - first] = values[i] * scale;
  return scale;
}

/** Takes a scale off the first `count` of `part`. */
export function unscale(part: Float64Array, count: number, scale: number): void {
  if (scale !== 1) for (let i = 0; i < count; i++) part[i] /= scale;
}
