import { meanAndStandardDeviation, standardDeviation } from "../mean-and-deviation.js";
import { type CentredColumn, fromCentre, toCentre } from "./centre-and-scale.js";
import { type FittedOn, finiteColumn, fitVersion } from "./fitted-on.js";

/** A plain value, to be stored as JSON. Null where the column had no value to fit. */
export interface ZScoreFit {
  readonly scaler: "z_score";
  readonly version: number;
  readonly fittedOn: FittedOn;
  /** The centre is the mean, the scale the standard deviation (ddof 0). */
  readonly columns: readonly (CentredColumn & { readonly count: number })[];
}

/**
 * Fits each column of the rows in `table` (row-major, as wide as `fittedOn.columns`): scikit-learn's
 * `StandardScaler`, values that are not finite ignored (scikit-learn ignores NaN and refuses infinities). The
 * scale of a column that is constant but for rounding is 1, by scikit-learn's rule (`_is_constant_feature`).
 * Mean and deviation come from `meanAndStandardDeviation`, which is right where squares overflow or
 * underflow.
 */
export function fitZScore(table: Float64Array, fittedOn: FittedOn): ZScoreFit {
  const width = fittedOn.columns.length;
  const columns = fittedOn.columns.map((_, c) => columnFit(finiteColumn(table, width, c)));
  return { scaler: "z_score", version: fitVersion, fittedOn, columns };
}

function columnFit(values: Float64Array): ZScoreFit["columns"][number] {
  const count = values.length;
  if (count === 0) return { count, centre: null, scale: null };
  if (count === 1) return { count, centre: values[0], scale: 1 };
  const both = new Float64Array(2);
  meanAndStandardDeviation(values, 0, count, both, 0);
  const deviation = populationDeviation(values, both[1]);
  return { count, centre: both[0], scale: isConstant(both[0], deviation, count) ? 1 : deviation };
}

/**
 * With ddof 0, from that with ddof 1, which is the larger and may overflow, or be a denormal with few bits:
 * then of values scaled by a power of two.
 */
function populationDeviation(values: Float64Array, sampleDeviation: number): number {
  const share = Math.sqrt((values.length - 1) / values.length);
  if (sampleDeviation > 2 ** -900 && sampleDeviation < Infinity) return sampleDeviation * share;
  const scale = sampleDeviation < 1 ? 2 ** 600 : 1 / 4;
  const scaled = values.map((value) => value * scale);
  return (standardDeviation(scaled, 0, scaled.length) * share) / scale;
}

/**
 * variance ≤ n ε variance + (n ε mean)², divided by mean², so that no square overflows or underflows.
 */
function isConstant(mean: number, deviation: number, count: number): boolean {
  if (deviation === 0) return true;
  const rounding = count * 2 ** -52;
  const ratio = deviation / Math.abs(mean);
  return ratio * ratio * (1 - rounding) <= rounding * rounding;
}

/**
 * Writes (value − mean) ÷ deviation of each cell of `rows` (whole rows, as wide as the fit) at
 * `out[outOffset]`. NaN and ±Infinity stay; all is NaN in a column without a fit. `out` may be `rows`.
 */
export function transformZScore(
  fit: ZScoreFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  toCentre(fit.columns, rows, out, outOffset);
}

/** Fits `table`, writes it transformed at `out[outOffset]`, and returns the fit. */
export function fitTransformZScore(
  table: Float64Array,
  fittedOn: FittedOn,
  out: Float64Array,
  outOffset: number,
): ZScoreFit {
  const fit = fitZScore(table, fittedOn);
  transformZScore(fit, table, out, outOffset);
  return fit;
}

/** Writes what `transformZScore` made `rows` of, to some ulps of the larger of value and mean. */
export function inverseZScore(
  fit: ZScoreFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  fromCentre(fit.columns, rows, out, outOffset);
}
