import { firstAfter } from "./window-bounds.js";

/**
 * Writes two numbers at `out[outOffset]`: how far the newest value, x(t) at index `end - 1`, has moved from x as
 * of t − lag, and the same in per cent of that base. The base is the newest finite value of `first ... end - 1`
 * at or before t − `lagMs`, no older than t − `lagMs` − `toleranceMs`: pandas `merge_asof(direction='backward',
 * tolerance=…)`. NaN where there is no base or x(t) is not finite; the relative one also for a base of 0; it is
 * pandas' `pct_change` times 100, so its sign is turned by a base below 0. Overflows are infinite.
 *
 * `timestamps` are milliseconds, strictly ascending. Looks back `lagMs` + `toleranceMs`.
 */
export function momentum(
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  lagMs: number,
  toleranceMs: number,
  out: Float64Array,
  outOffset: number,
): void {
  const at = indexAsOf(timestamps, values, first, end, timestamps[end - 1] - lagMs, toleranceMs);
  const base = at < first ? NaN : values[at];
  const moved = values[end - 1] - base;
  // NaN for an infinite x(t), which is no value.
  const absolute = Number.isFinite(values[end - 1]) ? moved + 0 : NaN;
  out[outOffset] = absolute;
  out[outOffset + 1] = base === 0 ? NaN : (absolute / base) * 100 + 0;
}

/** Index of the newest finite value that is at most `toleranceMs` older than `ms`, and not newer; `first - 1` for none. */
export function indexAsOf(
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  ms: number,
  toleranceMs: number,
): number {
  for (let i = firstAfter(timestamps, first, end, ms) - 1; i >= first; i--) {
    if (ms - timestamps[i] > toleranceMs) break;
    if (values[i] - values[i] === 0) return i;
  }
  return first - 1;
}
