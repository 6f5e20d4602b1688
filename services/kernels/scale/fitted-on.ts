/**
 * What a fit was made of, kept with it: the names of the columns in their order, and the event times of the
 * first and the last row in milliseconds.
 */
export interface FittedOn {
  readonly columns: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of the format that fits are stored in. Another meaning of a field is another version. */
export const fitVersion = 1;

/** Scales smaller than this are taken for 1, as in scikit-learn's `_handle_zeros_in_scale`: ten epsilons. */
const smallestScale = 10 * 2 ** -52;

export function withoutZero(scale: number): number {
  return scale < smallestScale ? 1 : scale;
}

/**
 * The finite values of column `column` of the rows in `table`, which is row-major and `width` wide; −0 as 0,
 * which JSON does not tell apart.
 */
export function finiteColumn(table: Float64Array, width: number, column: number): Float64Array {
  const finite = new Float64Array(Math.ceil(table.length / width));
  let count = 0;
  for (let i = column; i < table.length; i += width) {
    const value = table[i];
    if (value - value === 0) finite[count++] = value + 0;
  }
  return finite.subarray(0, count);
}
