import { insert, remove, replace, sortInto } from "./sorted-values.js";
import { firstAfter } from "./window-bounds.js";

/**
 * The sorted windows (t − w, t] of one series: a cache of what sorting each of them afresh would give, that
 * follows the series' time, and is rebuilt where it is not in step. It notices a restart, a step back, late
 * samples and dropped ones by their number; a value that changed in its place, or a sample that another took
 * the place of, it cannot see: who makes such a change calls `forget`.
 *
 * All in one array, since rows of many series come in turn, and what costs is the memory touched: the time it
 * stands at, then four numbers a window (below), then the windows' sorted values, each with room to double.
 */
export interface SlidingWindows {
  cells: Float64Array;
}

/** Where a window's sorted values start in `cells`. */
const startCell = 0;
/** How many values it holds: its finite samples. */
const lengthCell = 1;
/** How many samples it spans, those that are not finite too. */
const samplesCell = 2;
/** How many values there is room for. */
const capacityCell = 3;
const cellsPerWindow = 4;

const smallestCapacity = 16;

/**
 * From this share of the samples on, sorting afresh costs less than moving them in and out one by one
 * (measured).
 */
const rebuildShare = 1 / 4;

export function openSlidingWindows(windows: number): SlidingWindows {
  const cells = new Float64Array(1 + windows * (cellsPerWindow + smallestCapacity));
  cells[0] = NaN;
  for (let w = 0; w < windows; w++) {
    const header = headerOf(w);
    cells[header + startCell] = headerOf(windows) + w * smallestCapacity;
    cells[header + capacityCell] = smallestCapacity;
  }
  return { cells };
}

/**
 * Has all rebuilt when they are next used: after any change but appending newer samples and dropping the
 * oldest.
 */
export function forget(windows: SlidingWindows): void {
  windows.cells[0] = NaN;
}

/** The sorted values of window `w` are `cells[startOf(…) ... endOf(…) - 1]`. */
export function startOf({ cells }: SlidingWindows, w: number): number {
  return integer(cells, headerOf(w) + startCell);
}

export function endOf({ cells }: SlidingWindows, w: number): number {
  return integer(cells, headerOf(w) + startCell) + integer(cells, headerOf(w) + lengthCell);
}

/**
 * How many samples window `w` spans, finite or not: it begins so many before the `end` that `slide` was
 * given.
 */
export function samplesOf({ cells }: SlidingWindows, w: number): number {
  return integer(cells, headerOf(w) + samplesCell);
}

/** As an integer to the compiler too: a loop over an index that is a double takes twice as long. */
function integer(cells: Float64Array, index: number): number {
  return cells[index] | 0;
}

/**
 * Brings the windows to t = `timestamps[end - 1]`. The samples of the series are at `oldest ... end - 1` of
 * `timestamps` (milliseconds, strictly ascending) and `values`, and `windowsMs` are the lengths of the
 * windows, the same in every call.
 */
export function slide(
  windows: SlidingWindows,
  windowsMs: readonly number[],
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  end: number,
): void {
  const previousMs = windows.cells[0];
  const atMs = timestamps[end - 1];
  let entering = end;
  while (entering > oldest && timestamps[entering - 1] > previousMs) entering--;
  // So written, NaN is false.
  const goesOn = atMs >= previousMs;
  for (let w = 0; w < windowsMs.length; w++) {
    const header = headerOf(w);
    const first = firstAfter(
      timestamps,
      oldest,
      end,
      atMs - windowsMs[w],
      end - integer(windows.cells, header + samplesCell),
    );
    if (windows.cells[header + capacityCell] < end - first) grow(windows, windowsMs.length, w, end - first);
    const { cells } = windows;
    const leftUntilMs = previousMs - windowsMs[w];
    if (!goesOn || !follow(cells, header, timestamps, values, oldest, first, entering, end, leftUntilMs)) {
      const start = integer(cells, header + startCell);
      cells[header + lengthCell] = sortInto(cells, start, values, first, end) - start;
    }
    cells[header + samplesCell] = end - first;
  }
  windows.cells[0] = atMs;
}

/**
 * Takes out what was later than `leftUntilMs` and is now before `first`, and puts in `entering ... end - 1`.
 * False where the window was not in step; its contents are then of no use.
 */
function follow(
  cells: Float64Array,
  header: number,
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  first: number,
  entering: number,
  end: number,
  leftUntilMs: number,
): boolean {
  let leaving = first;
  while (leaving > oldest && timestamps[leaving - 1] > leftUntilMs) leaving--;
  const moved = first - leaving + (end - entering);
  if (integer(cells, header + samplesCell) - (first - leaving) + (end - entering) !== end - first)
    return false;
  if (moved > (end - first) * rebuildShare + 2) return false;

  const start = integer(cells, header + startCell);
  let stop = start + integer(cells, header + lengthCell);
  let inStep = true;
  while (inStep && (leaving < first || entering < end)) {
    // NaN where one side has come to its end: like a value that is not finite, it does not move. By its name, it would be
    // looked up, and the result an object.
    const out = leaving < first ? values[leaving++] : 0 / 0;
    const into = entering < end ? values[entering++] : 0 / 0;
    if (out - out !== 0) {
      if (into - into === 0) insert(cells, start, stop++, into);
    } else if (into - into !== 0) {
      inStep = remove(cells, start, stop--, out);
    } else {
      inStep = replace(cells, start, stop, out, into);
    }
  }
  cells[header + lengthCell] = stop - start;
  return inStep;
}

/** Doubles the room of window `w` until `size` values fit. */
function grow(windows: SlidingWindows, count: number, w: number, size: number): void {
  const { cells } = windows;
  const before = integer(cells, headerOf(w) + capacityCell);
  let capacity = before;
  while (capacity < size) capacity *= 2;
  const added = capacity - before;
  const larger = new Float64Array(cells.length + added);
  const next = integer(cells, headerOf(w) + startCell) + before;
  larger.set(cells.subarray(0, next));
  larger.set(cells.subarray(next), next + added);
  larger[headerOf(w) + capacityCell] = capacity;
  for (let later = w + 1; later < count; later++) larger[headerOf(later) + startCell] += added;
  windows.cells = larger;
}

function headerOf(w: number): number {
  return 1 + w * cellsPerWindow;
}
