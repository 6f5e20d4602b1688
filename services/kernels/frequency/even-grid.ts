import { indexAsOf } from "../momentum.js";

/**
 * Writes `count` indices at `out[0 ...]`, one for each of the last multiples of `intervalMs` since 1970 that are not after
 * `timestamps[end - 1]`: of the newest finite one of `values[first ... end - 1]` at or before the multiple, at most
 * `ageMs` older; −1 for none. Returns whether each has one.
 *
 * `timestamps` are milliseconds, strictly ascending. That multiples are absolute makes the result a matter of the
 * samples of less than `count` · `intervalMs` + `ageMs`, whatever row asks.
 */
export function onEvenGrid(
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  intervalMs: number,
  count: number,
  ageMs: number,
  out: Int32Array,
): boolean {
  let multipleMs = Math.floor(timestamps[end - 1] / intervalMs) * intervalMs;
  let until = end;
  let isFull = true;
  for (let k = count - 1; k >= 0; k--) {
    const at = indexAsOf(timestamps, values, first, until, multipleMs, ageMs);
    multipleMs -= intervalMs;
    out[k] = at < first ? -1 : at;
    if (at < first) isFull = false;
    else until = at + 1;
  }
  return isFull;
}
