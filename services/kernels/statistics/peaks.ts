/**
 * How many of the finite `values[first ... end - 1]` are larger than each of the `support` values before and
 * after them; those nearer to a border are none: tsfresh's `number_peaks`.
 */
export function numberOfPeaks(values: Float64Array, first: number, end: number, support: number): number {
  let peaks = 0;
  for (let i = first + support; i < end - support; i++) {
    let distance = 1;
    while (distance <= support && values[i] > values[i - distance] && values[i] > values[i + distance])
      distance++;
    if (distance > support) peaks++;
  }
  return peaks;
}
