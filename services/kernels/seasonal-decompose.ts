import { type Decomposition, copyScaled, fillWithoutAnswer, unscale } from "./decomposition.js";
import { movingSums } from "./moving-sum.js";

export interface SeasonalDecomposeOptions {
  /** Samples a season, 2 or more. */
  readonly period: number;
  readonly model: "additive" | "multiplicative";
  /**
   * Whether the trend is the mean around a sample, which looks half a period into the future, or before it:
   * the period up to the sample itself.
   */
  readonly twoSided: boolean;
}

/** What is kept for reuse: without influence on any result. */
export interface SeasonalDecomposeScratch {
  values: Float64Array;
  suffixes: Float64Array;
  averages: Float64Array;
}

export function openSeasonalDecomposeScratch(): SeasonalDecomposeScratch {
  return { values: new Float64Array(0), suffixes: new Float64Array(0), averages: new Float64Array(0) };
}

/**
 * Decomposes `values[first ... end - 1]`, which stand at equal distances, into `parts`, as statsmodels'
 * `seasonal_decompose(values, model, period=…, two_sided=…)` (statsmodels/tsa/seasonal): the trend is a moving
 * average over one period, the seasonal part the mean of what is left at each place of the period, centred.
 * Trend and residual are NaN where the average does not reach.
 *
 * Everything is NaN where statsmodels refuses: for less than two periods, where a value is not finite (fill
 * gaps before), and for a multiplicative model where one is not above 0.
 */
export function seasonalDecompose(
  options: SeasonalDecomposeOptions,
  scratch: SeasonalDecomposeScratch,
  values: Float64Array,
  first: number,
  end: number,
  parts: Decomposition,
): void {
  const { period, model, twoSided } = options;
  const count = end - first;
  reserve(scratch, count, period);
  const scale = copyScaled(values, first, end, scratch.values);
  const answers = count >= 2 * period && !Number.isNaN(scale);
  if (!answers || (model === "multiplicative" && !arePositive(scratch.values, count))) {
    fillWithoutAnswer(parts, count);
    return;
  }
  averageOverPeriod(scratch, count, period, twoSided, parts.trend);
  if (model === "additive") {
    splitSum(scratch, count, period, parts);
    unscale(parts.seasonal, count, scale);
    unscale(parts.residual, count, scale);
  } else {
    splitProduct(scratch, count, period, parts);
  }
  unscale(parts.trend, count, scale);
}

function reserve(scratch: SeasonalDecomposeScratch, count: number, period: number): void {
  if (scratch.values.length < count) scratch.values = new Float64Array(count);
  if (scratch.averages.length >= period) return;
  scratch.averages = new Float64Array(period);
  scratch.suffixes = new Float64Array(period);
}

function arePositive(values: Float64Array, count: number): boolean {
  let i = 0;
  while (i < count && values[i] > 0) i++;
  return i === count;
}

/** An even period reaches half a sample further on both sides, for an average that has a middle. */
function averageOverPeriod(
  { values, suffixes }: SeasonalDecomposeScratch,
  count: number,
  period: number,
  twoSided: boolean,
  trend: Float64Array,
): void {
  const isEven = period % 2 === 0;
  const reach = isEven ? period : period - 1;
  const head = twoSided ? reach / 2 : reach;
  const averages = count - reach;
  trend.fill(NaN, 0, head);
  trend.fill(NaN, head + averages, count);
  if (isEven) movingSums(values, 1, count - 1, period - 1, suffixes, trend, head);
  else movingSums(values, 0, count, period, suffixes, trend, head);
  for (let i = 0; i < averages; i++) {
    const ends = isEven ? 0.5 * values[i] + 0.5 * values[i + period] : 0;
    trend[head + i] = (trend[head + i] + ends) / period;
  }
}

function splitSum(
  { values, averages }: SeasonalDecomposeScratch,
  count: number,
  period: number,
  { trend, seasonal, residual }: Decomposition,
): void {
  for (let i = 0; i < count; i++) residual[i] = values[i] - trend[i];
  const center = averageByPlace(residual, count, period, averages);
  for (let place = 0; place < period; place++) {
    const average = averages[place] - center;
    for (let i = place; i < count; i += period) {
      seasonal[i] = average;
      residual[i] -= average;
    }
  }
}

function splitProduct(
  { values, averages }: SeasonalDecomposeScratch,
  count: number,
  period: number,
  { trend, seasonal, residual }: Decomposition,
): void {
  for (let i = 0; i < count; i++) residual[i] = values[i] / trend[i];
  const center = averageByPlace(residual, count, period, averages);
  for (let place = 0; place < period; place++) {
    const average = averages[place] / center;
    for (let i = place; i < count; i += period) {
      seasonal[i] = average;
      residual[i] = values[i] / average / trend[i];
    }
  }
}

/** Writes the mean at each place of the period, NaN left out, and returns the mean of these. */
function averageByPlace(
  detrended: Float64Array,
  count: number,
  period: number,
  averages: Float64Array,
): number {
  let total = 0;
  for (let place = 0; place < period; place++) {
    let sum = 0;
    let known = 0;
    for (let i = place; i < count; i += period) {
      if (Number.isNaN(detrended[i])) continue;
      sum += detrended[i];
      known++;
    }
    averages[place] = sum / known;
    total += averages[place];
  }
  return total / period;
}
