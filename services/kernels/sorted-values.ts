/**
 * A sorted multiset: `sorted[start ... end - 1]`, ascending, finite, −0 as 0. Whatever was put in and taken
 * out, its contents equal sorting what is left afresh, bit for bit. Values that are not finite are never
 * members.
 */

/**
 * Writes the finite ones of `values[first ... last - 1]`, sorted, from `sorted[start]` on, and returns the
 * end.
 */
export function sortInto(
  sorted: Float64Array,
  start: number,
  values: Float64Array,
  first: number,
  last: number,
): number {
  let end = start;
  for (let i = first; i < last; i++) {
    const value = values[i];
    if (value - value === 0) sorted[end++] = value + 0;
  }
  sorted.subarray(start, end).sort();
  return end;
}

/**
 * Index of the first that is not below `value`; `end` where all are. Multiplies by a comparison where others branch by it: a
 * processor guesses every second branch of a search wrong.
 */
export function placeOf(sorted: Float64Array, start: number, end: number, value: number): number {
  let place = start;
  let left = end - start;
  while (left > 1) {
    const half = left >>> 1;
    place += half * Number(sorted[place + half - 1] < value);
    left -= half;
  }
  return left === 0 ? place : place + Number(sorted[place] < value);
}

/** Puts the finite `value` in; `sorted[end]` has to be free. The end moves up by one. */
export function insert(sorted: Float64Array, start: number, end: number, value: number): void {
  const place = placeOf(sorted, start, end, value);
  sorted.copyWithin(place + 1, place, end);
  sorted[place] = value + 0;
}

/**
 * Takes the finite `value` out, and the end moves down by one; false, and nothing changes, where it is not
 * in.
 */
export function remove(sorted: Float64Array, start: number, end: number, value: number): boolean {
  const place = placeOf(sorted, start, end, value);
  if (place === end || sorted[place] !== value) return false;
  sorted.copyWithin(place, place + 1, end);
  return true;
}

/** `remove` of one finite value and `insert` of another in one move; the end stays. */
export function replace(
  sorted: Float64Array,
  start: number,
  end: number,
  leaving: number,
  entering: number,
): boolean {
  const from = placeOf(sorted, start, end, leaving);
  if (from === end || sorted[from] !== leaving) return false;
  const to = placeOf(sorted, start, end, entering);
  if (to > from) {
    sorted.copyWithin(from, from + 1, to);
    sorted[to - 1] = entering + 0;
  } else {
    sorted.copyWithin(to + 1, to, from);
    sorted[to] = entering + 0;
  }
  return true;
}
