/**
 * Sums of each `length` neighbours: `out[outFirst + i]` of `values[first + i ... first + i + length - 1]`, for as
 * many i as there are in `first ... end - 1`. `suffixes` is scratch of `length` numbers; `out` may be `values`, from
 * `first` on.
 *
 * Two additions a sum, whatever the length, and nothing is subtracted: each sum is the end of one block and the
 * beginning of the next (van Herk 1992, Gil and Werman 1993, for minima), so what passes through leaves no trace.
 */
export function movingSums(
  values: Float64Array,
  first: number,
  end: number,
  length: number,
  suffixes: Float64Array,
  out: Float64Array,
  outFirst: number,
): void {
  for (let block = first; block + length <= end; block += length) {
    let suffix = 0;
    for (let k = length - 1; k >= 0; k--) {
      suffix += values[block + k];
      suffixes[k] = suffix;
    }
    const place = outFirst + block - first;
    out[place] = suffix;
    let prefix = 0;
    const sums = Math.min(length - 1, end - block - length);
    for (let k = 1; k <= sums; k++) {
      prefix += values[block + length + k - 1];
      out[place + k] = suffixes[k] + prefix;
    }
  }
}
