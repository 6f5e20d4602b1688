import { medianOfSorted } from "../statistics/median.js";
import { type CentredColumn, fromCentre, toCentre } from "./centre-and-scale.js";
import { type FittedOn, finiteColumn, fitVersion, withoutZero } from "./fitted-on.js";

/** A plain value, to be stored as JSON. Null where the column had no value to fit. */
export interface RobustFit {
  readonly scaler: "robust";
  readonly version: number;
  readonly fittedOn: FittedOn;
  /** The centre is the median, the scale the distance of the 25th and the 75th percentile. */
  readonly columns: readonly (CentredColumn & { readonly count: number })[];
}

/**
 * Fits each column of the rows in `table` (row-major, as wide as `fittedOn.columns`). Exactly scikit-learn's
 * `RobustScaler`: the same operations in the same order as numpy's `nanmedian` and `nanpercentile`, a
 * distance below 10 epsilons taken for 1; values that are not finite are ignored (scikit-learn ignores NaN
 * and refuses infinities). A distance that overflows is taken for the largest double.
 */
export function fitRobust(table: Float64Array, fittedOn: FittedOn): RobustFit {
  const width = fittedOn.columns.length;
  const columns = fittedOn.columns.map((_, c) => columnFit(finiteColumn(table, width, c)));
  return { scaler: "robust", version: fitVersion, fittedOn, columns };
}

function columnFit(values: Float64Array): RobustFit["columns"][number] {
  const count = values.length;
  if (count === 0) return { count, centre: null, scale: null };
  values.sort();
  const distance = numpyPercentile(values, 0.75) - numpyPercentile(values, 0.25);
  const scale = withoutZero(Math.min(distance, Number.MAX_VALUE));
  return { count, centre: medianOfSorted(values, 0, count), scale };
}

/**
 * As numpy's `percentile` interpolates: from the nearer neighbour (`_lerp` of
 * numpy/lib/_function_base_impl.py), while pandas always starts at the lower one.
 */
function numpyPercentile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  const share = position - below;
  const distance = high - low;
  if (distance === Infinity) return low * (1 - share) + high * share;
  return share >= 0.5 ? high - distance * (1 - share) : low + distance * share;
}

/**
 * Writes (value − median) ÷ distance of each cell of `rows` (whole rows, as wide as the fit) at
 * `out[outOffset]`. NaN and ±Infinity stay; all is NaN in a column without a fit. `out` may be `rows`.
 */
export function transformRobust(
  fit: RobustFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  toCentre(fit.columns, rows, out, outOffset);
}

/** Fits `table`, writes it transformed at `out[outOffset]`, and returns the fit. */
export function fitTransformRobust(
  table: Float64Array,
  fittedOn: FittedOn,
  out: Float64Array,
  outOffset: number,
): RobustFit {
  const fit = fitRobust(table, fittedOn);
  transformRobust(fit, table, out, outOffset);
  return fit;
}

/** Writes what `transformRobust` made `rows` of, to some ulps of the larger of value and median. */
export function inverseRobust(
  fit: RobustFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  fromCentre(fit.columns, rows, out, outOffset);
}
