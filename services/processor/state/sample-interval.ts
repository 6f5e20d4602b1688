import { type SeriesWindow, entryKinds } from "./series-window.js";

/** The interval of a series is the median of so many distances of samples. */
export const DISTANCES = 5;

const distances = new Float64Array(DISTANCES);

/**
 * The median distance of the last samples up to the sample at an index, of those later than `afterMs`; Infinity where too few
 * are to tell. Points that were filled in are none.
 */
export function intervalUpTo(
  { timestamps, kinds, first }: SeriesWindow,
  index: number,
  afterMs: number,
): number {
  let count = 0;
  let later = timestamps[index];
  for (let at = index - 1; at >= first && count < DISTANCES && timestamps[at] > afterMs; at--) {
    if (kinds[at] === entryKinds.filledIn) continue;
    insertSorted(count++, later - timestamps[at]);
    later = timestamps[at];
  }
  return count < DISTANCES ? Infinity : distances[(DISTANCES - 1) / 2];
}

/** Puts a number in its place among the first `count`, which ascend. */
function insertSorted(count: number, number: number): void {
  let at = count;
  for (; at > 0 && distances[at - 1] > number; at--) distances[at] = distances[at - 1];
  distances[at] = number;
}
