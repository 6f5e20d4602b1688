import { medianOfSorted, middle } from "./median.js";

/**
 * The median of the distances from the median of `sorted[start ... end - 1]` (ascending, finite), NaN for
 * none. Exactly scipy's `median_abs_deviation` (scale 1), where no distance overflows.
 *
 * The k nearest to the median lie side by side, so the k-th smallest distance is found by bisecting for where
 * they start: nothing is copied or sorted.
 */
export function medianAbsoluteDeviation(sorted: Float64Array, start: number, end: number): number {
  const count = end - start;
  if (count <= 0) return NaN;
  const median = medianOfSorted(sorted, start, end);
  const half = (count >>> 1) + 1;
  const upper = distanceAt(sorted, start, end, median, half);
  return count % 2 === 1 ? upper : middle(distanceAt(sorted, start, end, median, half - 1), upper);
}

/** The `rank`-th smallest distance from the median; the smallest is of rank 1. */
function distanceAt(sorted: Float64Array, start: number, end: number, median: number, rank: number): number {
  // The first start of `rank` neighbours whose last is at least as far above the median as their first is below.
  let low = start;
  let high = end - rank;
  while (low < high) {
    const at = (low + high) >>> 1;
    if (sorted[at + rank - 1] - median >= median - sorted[at]) high = at;
    else low = at + 1;
  }
  const here = farther(sorted, low, low + rank - 1, median);
  return low === start ? here : Math.min(here, farther(sorted, low - 1, low + rank - 2, median));
}

function farther(sorted: Float64Array, first: number, last: number, median: number): number {
  return Math.max(median - sorted[first], sorted[last] - median);
}
