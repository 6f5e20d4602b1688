import { tableColumns } from "./table-columns.js";

/**
 * Gaps are runs of NaN between finite values. An infinity is present, so it is never touched, but it is no value: nothing is
 * learnt from it, and a gap goes on behind it.
 */

/**
 * Calls `visit` for each gap of `values[first ... end - 1]` with the indices of the finite values before and after it:
 * `first - 1` and `end` where there is none. What of `before + 1 ... after - 1` is NaN is missing.
 */
export function forEachGap(
  values: Float64Array,
  first: number,
  end: number,
  visit: (before: number, after: number) => void,
): void {
  let before = first - 1;
  let missing = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value - value === 0) {
      if (missing > 0) visit(before, i);
      before = i;
      missing = 0;
    } else if (Number.isNaN(value)) missing++;
  }
  if (missing > 0) visit(before, end);
}

/**
 * How long a gap lasts, as far as that is known, in milliseconds: between its finite neighbours, or to the edge of the samples
 * where it has none. The samples up to t tell its length as of t.
 */
export function gapLengthMs(
  timestamps: Float64Array,
  first: number,
  end: number,
  before: number,
  after: number,
): number {
  return timestamps[Math.min(after, end - 1)] - timestamps[Math.max(before, first)];
}

/** The samples as they are, and nothing marked. */
export function copyOpen(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
): void {
  for (let i = first; i < end; i++) {
    out[outOffset + i - first] = values[i];
    filled[outOffset + i - first] = 0;
  }
}

/** Fills one cell and marks it; a fill that is not finite is none. */
export function fillCell(out: Float64Array, filled: Uint8Array, index: number, value: number): void {
  if (value - value !== 0) return;
  out[index] = value + 0;
  filled[index] = 1;
}

/**
 * Marks by 1 the missing cells of a table (row-major, one row a timestamp, `columns` series) that lie in no gap longer than
 * `maxGapMs`.
 */
export function fillableCells(
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  maxGapMs: number,
): Uint8Array {
  const rows = timestamps.length;
  const fillable = new Uint8Array(rows * columns);
  for (const [column, series] of tableColumns(values, columns).entries()) {
    forEachGap(series, 0, rows, (before, after) => {
      if (gapLengthMs(timestamps, 0, rows, before, after) > maxGapMs) return;
      for (let row = before + 1; row < after; row++) {
        if (Number.isNaN(series[row])) fillable[row * columns + column] = 1;
      }
    });
  }
  return fillable;
}

/**
 * Writes the table with its fillable cells taken from `estimates`, a table of the same shape, and marks those in `filled`.
 */
export function fillFrom(
  estimates: ArrayLike<number>,
  values: Float64Array,
  fillable: Uint8Array,
  out: Float64Array,
  filled: Uint8Array,
): void {
  copyOpen(values, 0, values.length, out, filled, 0);
  for (let i = 0; i < values.length; i++) {
    if (fillable[i] !== 0) fillCell(out, filled, i, estimates[i]);
  }
}
