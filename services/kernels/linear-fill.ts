/**
 * The values at `times` (milliseconds, between the last two of `timestamps`) on the straight line between the last two of
 * `values`: pandas `interpolate("time")`, which is numpy's `interp`.
 */
export function linearFill(
  timestamps: Float64Array,
  values: Float64Array,
  times: Float64Array,
): Float64Array {
  const far = timestamps.length - 1;
  const near = far - 1;
  const slope = (values[far] - values[near]) / (timestamps[far] - timestamps[near]);
  return times.map((timestamp) => slope * (timestamp - timestamps[near]) + values[near]);
}
