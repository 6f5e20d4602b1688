/**
 * Index of the first of the ascending `timestamps[first ... end - 1]` (milliseconds) that is later than `ms`; `end` where none is.
 * The window (t − w, t] is therefore the indices `firstAfter(…, t - w)` up to, not including, `firstAfter(…, t)`.
 */
export function firstAfter(timestamps: Float64Array, first: number, end: number, ms: number): number {
  let low = first;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle] > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}
