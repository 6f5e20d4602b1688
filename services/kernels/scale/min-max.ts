import { type FittedOn, finiteColumn, fitVersion, withoutZero } from "./fitted-on.js";

/** A plain value, to be stored as JSON. Null where the column had no value to fit. */
export interface MinMaxFit {
  readonly scaler: "min_max";
  readonly version: number;
  readonly fittedOn: FittedOn;
  readonly columns: readonly MinMaxColumn[];
}

export interface MinMaxColumn {
  /** How many values were fitted. */
  readonly count: number;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** What a value is multiplied by, and what is added then. */
  readonly scale: number | null;
  readonly shift: number | null;
}

/**
 * Fits each column of the rows in `table` (row-major, as wide as `fittedOn.columns`) so that its smallest
 * value becomes 0 and its largest 1. Exactly scikit-learn's `MinMaxScaler`: the same operations in the same
 * order, a range below 10 epsilons taken for 1; values that are not finite are ignored (scikit-learn ignores
 * NaN and refuses infinities). A range that overflows, where scikit-learn makes all 0, is done by halves.
 */
export function fitMinMax(table: Float64Array, fittedOn: FittedOn): MinMaxFit {
  const width = fittedOn.columns.length;
  const columns = fittedOn.columns.map((_, c) => columnFit(finiteColumn(table, width, c)));
  return { scaler: "min_max", version: fitVersion, fittedOn, columns };
}

function columnFit(values: Float64Array): MinMaxColumn {
  const count = values.length;
  if (count === 0) return { count, minimum: null, maximum: null, scale: null, shift: null };
  let minimum = values[0];
  let maximum = values[0];
  for (let i = 1; i < count; i++) {
    if (values[i] < minimum) minimum = values[i];
    if (values[i] > maximum) maximum = values[i];
  }
  const range = maximum - minimum;
  const scale = range < Infinity ? 1 / withoutZero(range) : 0.5 / (maximum / 2 - minimum / 2);
  return { count, minimum, maximum, scale, shift: 0 - minimum * scale };
}

/**
 * Writes each cell of `rows` (whole rows, as wide as the fit) × scale + shift at `out[outOffset]`. NaN and
 * ±Infinity stay; all is NaN in a column without a fit. `out` may be `rows`.
 */
export function transformMinMax(
  fit: MinMaxFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  const width = fit.columns.length;
  for (let c = 0; c < width; c++) {
    const scale = fit.columns[c].scale ?? NaN;
    const shift = fit.columns[c].shift ?? NaN;
    for (let i = c; i < rows.length; i += width) out[outOffset + i] = rows[i] * scale + shift;
  }
}

/** Fits `table`, writes it transformed at `out[outOffset]`, and returns the fit. */
export function fitTransformMinMax(
  table: Float64Array,
  fittedOn: FittedOn,
  out: Float64Array,
  outOffset: number,
): MinMaxFit {
  const fit = fitMinMax(table, fittedOn);
  transformMinMax(fit, table, out, outOffset);
  return fit;
}

/** Writes what `transformMinMax` made `rows` of, to some ulps of the largest value fitted. */
export function inverseMinMax(
  fit: MinMaxFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  const width = fit.columns.length;
  for (let c = 0; c < width; c++) {
    const scale = fit.columns[c].scale ?? NaN;
    const shift = fit.columns[c].shift ?? NaN;
    for (let i = c; i < rows.length; i += width) out[outOffset + i] = (rows[i] - shift) / scale;
  }
}
