/**
 * The finite values of a window, ascending, −0 as 0, in the first `length` places of `sorted`. Its contents equal sorting
 * the values afresh, bit for bit, whatever was put in and taken out before. Memory doubles as the window grows.
 */
export interface SortedWindow {
  sorted: Float64Array;
  length: number;
}

export function emptySortedWindow(): SortedWindow {
  return { sorted: new Float64Array(16), length: 0 };
}

/** Holds the finite ones of `values[first ... end - 1]` and nothing else from now on. */
export function rebuild(window: SortedWindow, values: Float64Array, first: number, end: number): void {
  reserve(window, end - first, 0);
  const { sorted } = window;
  let length = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (isMember(value)) sorted[length++] = value + 0;
  }
  window.length = length;
  sorted.subarray(0, length).sort();
}

/** A value that is not finite is no member of a window: nothing changes. */
export function insert(window: SortedWindow, value: number): void {
  if (!isMember(value)) return;
  reserve(window, window.length + 1, window.length);
  const { sorted, length } = window;
  const place = indexOf(window, value);
  sorted.copyWithin(place + 1, place, length);
  sorted[place] = value + 0;
  window.length = length + 1;
}

/** False where the window does not hold the value: it is then unchanged. A value that is not finite is never held, nor missed. */
export function remove(window: SortedWindow, value: number): boolean {
  if (!isMember(value)) return true;
  const { sorted, length } = window;
  const place = indexOf(window, value);
  if (place === length || sorted[place] !== value) return false;
  sorted.copyWithin(place, place + 1, length);
  window.length = length - 1;
  return true;
}

/** `remove` one and `insert` another in one move, for a window that slides. */
export function replace(window: SortedWindow, leaving: number, entering: number): boolean {
  if (!isMember(leaving) || !isMember(entering)) {
    if (!remove(window, leaving)) return false;
    insert(window, entering);
    return true;
  }
  const { sorted } = window;
  const from = indexOf(window, leaving);
  if (from === window.length || sorted[from] !== leaving) return false;
  const to = indexOf(window, entering);
  if (to > from) {
    sorted.copyWithin(from, from + 1, to);
    sorted[to - 1] = entering + 0;
  } else {
    sorted.copyWithin(to + 1, to, from);
    sorted[to] = entering + 0;
  }
  return true;
}

/** Index of the first value that is not below `value`; `length` where all are. */
export function indexOf({ sorted, length }: SortedWindow, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function reserve(window: SortedWindow, size: number, kept: number): void {
  let capacity = window.sorted.length;
  if (capacity >= size) return;
  while (capacity < size) capacity *= 2;
  const larger = new Float64Array(capacity);
  larger.set(window.sorted.subarray(0, kept));
  window.sorted = larger;
}

function isMember(value: number): boolean {
  return value - value === 0;
}
