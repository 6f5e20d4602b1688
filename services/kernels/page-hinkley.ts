import { firstAfter } from "./window-bounds.js";

export interface PageHinkleyOptions {
  /** How many samples since the epoch began, or since the last drift, must be there before one is told. */
  readonly fewestSamples: number;
  /** A deviation from the mean that counts as none, in the values' unit. */
  readonly delta: number;
  /** How far the sum of deviations has to come, in the values' unit. */
  readonly threshold: number;
  /** The share of the sum that is kept from sample to sample. */
  readonly alpha: number;
}

/** river's. `delta` and `threshold` have a unit: multiply them by what the values usually vary by. */
export const pageHinkleyDefaults: PageHinkleyOptions = {
  fewestSamples: 30,
  delta: 0.005,
  threshold: 50,
  alpha: 0.9999,
};

/**
 * Page and Hinkley's test for a drift of the mean, up or down, over the finite ones of `values[first ... end - 1]`:
 * index of the newest sample at which it told of one, −1 for none. The row at `end - 1` has a drift where the
 * answer is `end - 1`. The same operations in the same order as `river.drift.PageHinkley(mode="both")`, so the
 * same samples; it begins anew after each drift.
 *
 * What it answers depends on where it began. So that this is a matter of the samples and not of history, let
 * `first` be where an epoch of the clock begins (`firstOfEpoch`).
 */
export function newestDrift(
  options: PageHinkleyOptions,
  values: Float64Array,
  first: number,
  end: number,
): number {
  const { fewestSamples, delta, threshold, alpha } = options;
  let newest = -1;
  let count = 0;
  let mean = 0;
  let rise = 0;
  let fall = 0;
  let leastRise = Infinity;
  let mostFall = -Infinity;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value - value !== 0) continue;
    count++;
    mean += (1 / count) * (value - mean);
    const deviation = value - mean;
    rise = alpha * rise + deviation - delta;
    fall = alpha * fall + deviation + delta;
    if (rise < leastRise) leastRise = rise;
    if (fall > mostFall) mostFall = fall;
    if (count < fewestSamples) continue;
    if (!(rise - leastRise > threshold) && !(mostFall - fall > threshold)) continue;
    newest = i;
    count = 0;
    mean = 0;
    rise = 0;
    fall = 0;
    leastRise = Infinity;
    mostFall = -Infinity;
  }
  return newest;
}

/**
 * When the epoch began that a time lies in, milliseconds. Epochs are `epochMs` long, begin after multiples of it since 1970 and
 * hold the next one, as windows hold their end: (k · epochMs, (k + 1) · epochMs].
 */
export function startOfEpoch(ms: number, epochMs: number): number {
  return (Math.ceil(ms / epochMs) - 1) * epochMs;
}

/** Index of the first sample of the epoch that the one at `end - 1` lies in. */
export function firstOfEpoch(timestamps: Float64Array, first: number, end: number, epochMs: number): number {
  return firstAfter(timestamps, first, end, startOfEpoch(timestamps[end - 1], epochMs));
}
