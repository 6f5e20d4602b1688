/**
 * Writes three numbers at `out[outOffset]`: smallest, largest and count of the finite ones of
 * `values[first ... end - 1]`; NaN, NaN and 0 for none. As pandas `rolling(w)`'s `min`, `max` and `count`
 * where there are no infinities, which pandas counts; −0 as 0.
 */
export function extremesAndCount(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  let minimum = Infinity;
  let maximum = -Infinity;
  let count = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value - value !== 0) continue;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    count++;
  }
  out[outOffset] = count === 0 ? NaN : minimum + 0;
  out[outOffset + 1] = count === 0 ? NaN : maximum + 0;
  out[outOffset + 2] = count;
}
