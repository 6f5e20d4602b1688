import { indexAsOf } from "../momentum.js";

/**
 * Writes `count` values at `out[0 ...]`, of the last multiples of `intervalMs` since 1970 that are not after
 * `timestamps[end - 1]`: each the newest finite one of `values[first ... end - 1]` at or before its multiple, at most
 * `ageMs` older. Returns whether each has one; where not, what was written means nothing.
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
  out: Float64Array,
): boolean {
  let multipleMs = Math.floor(timestamps[end - 1] / intervalMs) * intervalMs;
  let until = end;
  for (let k = count - 1; k >= 0; k--) {
    const at = indexAsOf(timestamps, values, first, until, multipleMs, ageMs);
    if (at < first) return false;
    out[k] = values[at];
    until = at + 1;
    multipleMs -= intervalMs;
  }
  return true;
}
