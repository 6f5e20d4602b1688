/**
 * Index of the first of the ascending `timestamps[first ... end - 1]` (milliseconds) that is later than `ms`;
 * `end` where none is. The window (t − w, t] is therefore the indices `firstAfter(…, t - w)` up to, not
 * including, `firstAfter(…, t)`. The search starts at index `guess` and costs little where that is near; the
 * answer is the same from everywhere.
 */
export function firstAfter(
  timestamps: Float64Array,
  first: number,
  end: number,
  ms: number,
  guess = end,
): number {
  // All before `low` are not later than `ms`; all from `high` on are, once one of the two loops has moved it.
  let low = Math.max(first, Math.min(end, guess));
  let high = low;
  for (let step = 1; low > first && timestamps[low - 1] > ms; step *= 2) {
    high = low - 1;
    low = Math.max(first, low - step);
  }
  for (let step = 1; high < end && timestamps[high] <= ms; step *= 2) {
    low = high + 1;
    high = Math.min(end, high + step);
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle] > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}
