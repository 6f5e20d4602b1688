/**
 * A copy of the finite ones of `values[first ... end - 1]`, in their order. NaN (missing) and ±Infinity are
 * kept out of windows, as pandas does it: its rolling windows read infinities as missing
 * (`BaseWindow._prep_values`).
 */
export function finiteValues(values: Float64Array, first: number, end: number): Float64Array {
  const finite = new Float64Array(end - first);
  let count = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value - value === 0) finite[count++] = value;
  }
  return finite.subarray(0, count);
}
