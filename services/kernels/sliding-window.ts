import { emptySortedWindow, insert, rebuild, remove, replace, type SortedWindow } from "./sorted-window.js";

/**
 * A sorted window that follows the time of one series: a cache of what sorting (t − w, t] afresh would give, and rebuilt where it
 * is not in step. It notices a restart, a step back, late samples and dropped ones by their number; a value that changed in its
 * place, or a sample that another took the place of, it cannot see: who makes such a change calls `forget`.
 */
export interface SlidingWindow extends SortedWindow {
  windowMs: number;
  /** The t it stands at; NaN where it has to be rebuilt. */
  atMs: number;
  /** How many samples it went over, those that are not finite too. */
  samples: number;
}

export function openSlidingWindow(windowMs: number): SlidingWindow {
  return { ...emptySortedWindow(), windowMs, atMs: NaN, samples: 0 };
}

/** Has the window rebuilt when it is next used: after any change but appending newer samples and dropping the oldest. */
export function forget(window: SlidingWindow): void {
  window.atMs = NaN;
}

/** From this share of the samples on, sorting afresh costs less than moving them in and out one by one (measured). */
const rebuildShare = 1 / 4;

/**
 * Brings the window to `atMs`. Of the ascending `timestamps` and their `values`, those of (atMs − windowMs, atMs] are at `first ...
 * end - 1`; `oldest` is the first index that still holds a sample of the series.
 */
export function slide(
  window: SlidingWindow,
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  first: number,
  end: number,
  atMs: number,
): void {
  if (!follows(window, timestamps, values, oldest, first, end, atMs)) {
    rebuild(window, values, first, end);
    window.samples = end - first;
  }
  window.atMs = atMs;
}

/** False where the window could not be brought in step, its contents being then of no use. */
function follows(
  window: SlidingWindow,
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  first: number,
  end: number,
  atMs: number,
): boolean {
  const { atMs: previousMs, windowMs } = window;
  // So written, NaN is false. Windows without a common time share no samples.
  if (!(atMs >= previousMs && atMs - windowMs < previousMs)) return false;
  let entering = end;
  while (entering > first && timestamps[entering - 1] > previousMs) entering--;
  let leaving = first;
  while (leaving > oldest && timestamps[leaving - 1] > previousMs - windowMs) leaving--;
  const entered = end - entering;
  const left = first - leaving;
  if (window.samples + entered - left !== end - first) return false;
  if (entered + left > (end - first) * rebuildShare + 2) return false;
  for (; leaving < first && entering < end; leaving++, entering++) {
    if (!replace(window, values[leaving], values[entering])) return false;
  }
  for (; leaving < first; leaving++) {
    if (!remove(window, values[leaving])) return false;
  }
  for (; entering < end; entering++) insert(window, values[entering]);
  window.samples = end - first;
  return true;
}
