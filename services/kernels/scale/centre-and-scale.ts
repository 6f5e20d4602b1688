/** One column's centre and scale; null where the column had no value to fit. */
export interface CentredColumn {
  readonly centre: number | null;
  readonly scale: number | null;
}

/**
 * Writes (value − centre) ÷ scale of each cell of `rows`, whole rows of as many cells as `columns`, at
 * `out[outOffset]`. NaN stays NaN, ±Infinity stays, and all is NaN in a column without a fit. `out` may be
 * `rows`.
 */
export function toCentre(
  columns: readonly CentredColumn[],
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  for (let c = 0; c < columns.length; c++) {
    const centre = columns[c].centre ?? NaN;
    const scale = columns[c].scale ?? NaN;
    for (let i = c; i < rows.length; i += columns.length) {
      const distance = rows[i] - centre;
      // The distance of two finite numbers may overflow: then by halves.
      out[outOffset + i] =
        distance - distance === 0 ? distance / scale : (rows[i] / 2 - centre / 2) / (scale / 2);
    }
  }
}

/** Writes value × scale + centre: what `toCentre` made it of. */
export function fromCentre(
  columns: readonly CentredColumn[],
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  for (let c = 0; c < columns.length; c++) {
    const centre = columns[c].centre ?? NaN;
    const scale = columns[c].scale ?? NaN;
    for (let i = c; i < rows.length; i += columns.length) {
      const distance = rows[i] * scale;
      out[outOffset + i] =
        distance - distance === 0 ? distance + centre : (rows[i] * (scale / 2) + centre / 2) * 2;
    }
  }
}
