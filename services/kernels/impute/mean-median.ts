import { mean } from "../mean-and-deviation.js";
import { sortInto } from "../sorted-values.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { tableColumns } from "./table-columns.js";

export const meanImputer: ImputerDeclaration<WindowOptions> = {
  name: "mean",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: false,
};

export const medianImputer: ImputerDeclaration<WindowOptions> = { ...meanImputer, name: "median" };

/**
 * Fills a table (row-major, one row a timestamp, `columns` series) with the mean of each column: scikit-learn
 * `SimpleImputer()`; a column without a value stays open. Writes the table at `out` and 1 at `filled` for the cells filled, 0 for
 * the others. Gaps that last longer than `maxGapMs` stay open.
 */
export function meanFill(
  options: WindowOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  fillByColumn(mean, options, timestamps, values, columns, out, filled);
}

/** As `meanFill` with the median: scikit-learn `SimpleImputer(strategy='median')`. */
export function medianFill(
  options: WindowOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  fillByColumn(median, options, timestamps, values, columns, out, filled);
}

/** Median of the finite ones of `values[first ... end - 1]`, NaN for none: numpy's, but that it never overflows. */
export function median(values: Float64Array, first: number, end: number): number {
  const sorted = new Float64Array(end - first);
  const count = sortInto(sorted, 0, values, first, end);
  const high = sorted[count >>> 1];
  if (count === 0) return NaN;
  if (count % 2 === 1) return high;
  const low = sorted[(count >>> 1) - 1];
  const both = low + high;
  return both - both === 0 ? both / 2 : low / 2 + high / 2;
}

function fillByColumn(
  statistic: (values: Float64Array, first: number, end: number) => number,
  { maxGapMs }: WindowOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  const ofColumn = tableColumns(values, columns).map((series) => statistic(series, 0, series.length));
  const estimates = values.map((_, i) => ofColumn[i % columns]);
  fillFrom(estimates, values, fillableCells(timestamps, values, columns, maxGapMs), out, filled);
}
