/**
 * Prometheus 3's `increase(counter[w])` at `atMs`: `timestamps[first ... end - 1]` (milliseconds, ascending)
 * and `values` are the samples of the window (atMs − windowMs, atMs]. NaN for fewer than two. The same
 * operations in the same order as `extrapolatedRate` of promql/functions.go (3.x; 2.x had a closed window and
 * another extrapolation), so the same bits.
 *
 * `absent` marks by 1 the entries that are no samples, such as stale markers; every other entry counts as
 * Prometheus counts it, true NaN included. Without it (null) NaN entries are those that are no samples.
 */
export function increase(
  timestamps: Float64Array,
  values: Float64Array,
  absent: Uint8Array | null,
  first: number,
  end: number,
  atMs: number,
  windowMs: number,
): number {
  return extrapolated(timestamps, values, absent, first, end, atMs, windowMs, 1);
}

/** Prometheus 3's `rate(counter[w])` at `atMs`, per second. Arguments and result as of `increase`. */
export function rate(
  timestamps: Float64Array,
  values: Float64Array,
  absent: Uint8Array | null,
  first: number,
  end: number,
  atMs: number,
  windowMs: number,
): number {
  return extrapolated(timestamps, values, absent, first, end, atMs, windowMs, seconds(windowMs));
}

function extrapolated(
  timestamps: Float64Array,
  values: Float64Array,
  absent: Uint8Array | null,
  first: number,
  end: number,
  atMs: number,
  windowMs: number,
  perSeconds: number,
): number {
  let oldest = first;
  while (oldest < end && isAbsent(values, absent, oldest)) oldest++;
  let newest = end - 1;
  while (newest > oldest && isAbsent(values, absent, newest)) newest--;
  if (newest <= oldest) return NaN;

  let result = values[newest] - values[oldest];
  let intervals = 0;
  let previous = values[oldest];
  for (let i = oldest + 1; i <= newest; i++) {
    if (isAbsent(values, absent, i)) continue;
    const current = values[i];
    if (current < previous) result += previous;
    previous = current;
    intervals++;
  }

  let toStart = (timestamps[oldest] - (atMs - windowMs)) / 1000;
  let toEnd = (atMs - timestamps[newest]) / 1000;
  const sampled = (timestamps[newest] - timestamps[oldest]) / 1000;
  const average = sampled / intervals;
  // Samples no further away from a border than this are taken to go on beyond it; else the series begins or ends inside.
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  // A counter cannot have been below zero.
  if (result > 0 && values[oldest] >= 0) {
    const toZero = sampled * (values[oldest] / result);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2;
  return result * ((sampled + toStart + toEnd) / sampled / perSeconds);
}

function isAbsent(values: Float64Array, absent: Uint8Array | null, index: number): boolean {
  return absent === null ? Number.isNaN(values[index]) : absent[index] !== 0;
}

/** Go's `Duration.Seconds()`, whose whole and broken seconds are converted apart. */
function seconds(ms: number): number {
  const broken = ms % 1000;
  return (ms - broken) / 1000 + (broken * 1e6) / 1e9;
}
