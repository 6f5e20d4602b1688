import { type ComplexFourier, openComplexFourier, transform } from "./complex-fourier.js";
import { unitRoots } from "./unit-roots.js";

/** What transforms of one length need: a cache without influence on any result. */
export interface RealFourier {
  readonly length: number;
  readonly complex: ComplexFourier;
  /** For an even length: the roots of the whole length. */
  readonly roots: Float64Array;
  readonly values: Float64Array;
}

export function openRealFourier(length: number): RealFourier {
  const isEven = length % 2 === 0;
  const points = isEven ? length / 2 : length;
  return {
    length,
    complex: openComplexFourier(points),
    roots: isEven ? unitRoots(length) : new Float64Array(0),
    values: new Float64Array(2 * points),
  };
}

/** How many frequencies `realFourier` answers. */
export function frequenciesOf(length: number): number {
  return length === 0 ? 0 : (length >>> 1) + 1;
}

/**
 * Writes the discrete Fourier transform of the real `values[first ...]`, as many as the length that `fourier`
 * is for, at `out[outOffset]`: pairs of real and imaginary part for the frequencies 0 … n ÷ 2, not normalised.
 * numpy's `fft.rfft`, for any length, within 1e-15 or so of the size of the values. With + − × ÷ only.
 */
export function realFourier(
  fourier: RealFourier,
  values: Float64Array,
  first: number,
  out: Float64Array,
  outOffset: number,
): void {
  const { length, complex, roots, values: packed } = fourier;
  if (length === 0) return;
  if (length % 2 === 1) {
    for (let i = 0; i < length; i++) {
      packed[2 * i] = values[first + i];
      packed[2 * i + 1] = 0;
    }
    transform(complex, packed);
    for (let i = 0; i <= length; i++) out[outOffset + i] = packed[i];
    out[outOffset + 1] = 0;
    return;
  }
  // Even and odd samples as real and imaginary parts of half as many.
  for (let i = 0; i < length; i++) packed[i] = values[first + i];
  transform(complex, packed);
  const half = length / 2;
  out[outOffset] = packed[0] + packed[1];
  out[outOffset + 1] = 0;
  out[outOffset + length] = packed[0] - packed[1];
  out[outOffset + length + 1] = 0;
  for (let k = 1; k < half; k++) {
    const a = 2 * k;
    const b = 2 * (half - k);
    const reEven = (packed[a] + packed[b]) / 2;
    const imEven = (packed[a + 1] - packed[b + 1]) / 2;
    const reOdd = (packed[a + 1] + packed[b + 1]) / 2;
    const imOdd = (packed[b] - packed[a]) / 2;
    out[outOffset + a] = reEven + reOdd * roots[a] - imOdd * roots[a + 1];
    out[outOffset + a + 1] = imEven + reOdd * roots[a + 1] + imOdd * roots[a];
  }
}
