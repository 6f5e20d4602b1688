import { centralCells, centralSums, offsetCell, roughMeanCell } from "../statistics/central-sums.js";
import { safeUnit } from "../statistics/safe-unit.js";
import { logarithm } from "./logarithm.js";
import { frequenciesOf, openRealFourier, type RealFourier, realFourier } from "./real-fourier.js";

/** So many lengths are remembered: windows of one plan differ by a sample or two. */
const rememberedLengths = 8;

/** Transforms and room for spectra, for all series: a cache without influence on any result. */
export interface SpectrumState {
  readonly fouriers: Map<number, RealFourier>;
  readonly sums: Float64Array;
  distances: Float64Array;
  spectrum: Float64Array;
  power: Float64Array;
}

export function openSpectrumState(): SpectrumState {
  const nothing = new Float64Array(0);
  return {
    fouriers: new Map(),
    sums: new Float64Array(centralCells),
    distances: nothing,
    spectrum: nothing,
    power: nothing,
  };
}

/**
 * Writes how the variance of `values[first ... end - 1]` is spread over the frequencies k ÷ (n · interval), k
 * = 0 … n ÷ 2, `frequenciesOf(n)` numbers that add up to the variance (ddof 0), 0 at k = 0: scipy's
 * `periodogram(detrend="constant", scaling="spectrum")`. The samples count as evenly spaced. All NaN where one
 * of them is not finite: without it they are not.
 */
export function powerSpectrum(
  state: SpectrumState,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const unit = scaledPower(state, values, first, end);
  const frequencies = frequenciesOf(end - first);
  for (let k = 0; k < frequencies; k++) out[outOffset + k] = state.power[k] / unit / unit;
}

/** Columns of `frequencyFeatures`. */
export const frequencyNames = [
  "dominant_frequency",
  "spectral_entropy",
  "spectral_centroid",
  "spectral_bandwidth",
] as const;

/** Powers so near to the largest are as large: rounding must not choose between them. */
const tieShare = 1e-9;

/**
 * Writes four numbers at `out[outOffset]`, of `values[first ... end - 1]`, which are `intervalMs` apart: the
 * frequency of the largest power in hertz, the lowest of equal ones; the entropy of the power's shares, 0 (one
 * frequency) to 1 (all alike), by the logarithm of how many frequencies there are; the mean frequency weighted
 * by power, and the deviation from it, in hertz. The mean of the values, frequency 0, counts in none of them.
 *
 * NaN where a value is not finite, and where there is no power: for fewer than two values and for constants;
 * there is no entropy of a single frequency either. Only the entropy needs more than + − × ÷ and sqrt: its
 * logarithm is our own.
 */
export function frequencyFeatures(
  state: SpectrumState,
  values: Float64Array,
  first: number,
  end: number,
  intervalMs: number,
  out: Float64Array,
  outOffset: number,
): void {
  scaledPower(state, values, first, end);
  const { power } = state;
  const frequencies = frequenciesOf(end - first);
  const step = 1000 / intervalMs / (end - first);
  let total = 0;
  let largest = 0;
  let weighted = 0;
  for (let k = 1; k < frequencies; k++) {
    total += power[k];
    weighted += power[k] * k;
    if (power[k] > largest) largest = power[k];
  }
  if (!(total > 0)) {
    out.fill(NaN, outOffset, outOffset + frequencyNames.length);
    return;
  }
  const centre = weighted / total;
  let dominant = 0;
  let entropy = 0;
  let spread = 0;
  for (let k = 1; k < frequencies; k++) {
    const share = power[k] / total;
    if (dominant === 0 && power[k] >= largest * (1 - tieShare)) dominant = k;
    if (share > 0) entropy -= share * logarithm(share);
    spread += share * (k - centre) * (k - centre);
  }
  out[outOffset] = dominant * step;
  out[outOffset + 1] = frequencies < 3 ? NaN : Math.max(0, entropy / logarithm(frequencies - 1));
  out[outOffset + 2] = centre * step;
  out[outOffset + 3] = Math.sqrt(spread) * step;
}

/**
 * Leaves the powers in the state, of values that were multiplied by the power of two that is returned; NaN
 * where a value is not finite.
 */
function scaledPower(state: SpectrumState, values: Float64Array, first: number, end: number): number {
  const length = end - first;
  const frequencies = frequenciesOf(length);
  makeRoom(state, length);
  const unit = distancesFromMean(state, values, first, end);
  const { spectrum, power } = state;
  realFourier(fourierOf(state, length), state.distances, 0, spectrum, 0);
  for (let k = 0; k < frequencies; k++) {
    const re = spectrum[2 * k] / length;
    const im = spectrum[2 * k + 1] / length;
    // All but the first, and the last of an even length, stand for a negative frequency, too.
    power[k] = (2 * k === length ? 1 : 2) * (re * re + im * im);
  }
  // The mean was taken off; NaN stays.
  if (frequencies > 0) power[0] *= 0;
  return unit;
}

function makeRoom(state: SpectrumState, length: number): void {
  if (state.distances.length >= length) return;
  state.distances = new Float64Array(2 * length);
  state.spectrum = new Float64Array(2 * length + 2);
  state.power = new Float64Array(length + 1);
}

function fourierOf({ fouriers }: SpectrumState, length: number): RealFourier {
  let fourier = fouriers.get(length);
  if (fourier === undefined) {
    fourier = openRealFourier(length);
    fouriers.set(length, fourier);
    if (fouriers.size > rememberedLengths) fouriers.delete(fouriers.keys().next().value ?? length);
  }
  return fourier;
}

/** Leaves them in the state, exactly 0 for constants, multiplied by the unit that is returned. */
function distancesFromMean(state: SpectrumState, values: Float64Array, first: number, end: number): number {
  const { distances, sums } = state;
  const length = end - first;
  let largest = 0;
  let isConstant = true;
  for (let i = 0; i < length; i++) {
    const value = values[first + i];
    distances[i] = value;
    largest = Math.max(largest, Math.abs(value));
    isConstant &&= value === values[first];
  }
  const unit = largest < Infinity ? safeUnit(largest) : 1;
  if (isConstant && largest < Infinity) {
    distances.fill(0, 0, length);
    return unit;
  }
  for (let i = 0; i < length; i++) distances[i] *= unit;
  centralSums(distances, 0, length, sums, 0);
  for (let i = 0; i < length; i++) distances[i] = distances[i] - sums[roughMeanCell] - sums[offsetCell];
  return unit;
}
