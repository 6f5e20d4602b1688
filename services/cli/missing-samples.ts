import { classifyMissing, missingBits, missingPeriod } from "../kernels/missing/patterns.js";
import { firstPresences } from "../kernels/missing/presence.js";
import { MillraceError } from "../shared/errors.js";

/** What a series lacks between its first sample and the last one of its entity, in samples. */
export interface MissingSamples {
  readonly entity: string;
  readonly series: string;
  readonly intervalMs: number;
  readonly expected: number;
  readonly missing: number;
  /** One by one, with samples right before and after; two or more in a row; together with all others of the entity. */
  readonly isolated: number;
  readonly inRuns: number;
  readonly inWholeFrames: number;
  /** At the same phase of a period, time and again; 0 milliseconds where there is none. */
  readonly periodic: number;
  readonly periodMs: number;
}

/** Longer periods, in samples, are not looked for. */
const PERIOD_MAX = 1_000;
/** Of the table of an entity. */
const CELLS_MAX = 100_000_000;

/**
 * What each series of an entity lacks, by the times of its samples, milliseconds in any order. A sample is expected every
 * `intervalMs`; null: as often as the samples of the median series come. Throws USAGE_INVALID where that makes
 * a table of more samples than memory should hold.
 */
export function missingSamples(
  entity: string,
  timesOf: ReadonlyMap<string, readonly number[]>,
  intervalMs: number | null,
): MissingSamples[] {
  const series = [...timesOf.keys()].sort();
  const times = series.map((key) => Float64Array.from(timesOf.get(key)!).sort());
  const interval = intervalMs ?? medianOf(times.map(usualDistance).filter(Number.isFinite));
  if (!(interval > 0)) return [];
  const start = times.reduce((least, [first]) => Math.min(least, first), Infinity);
  const stop = times.reduce((most, all) => Math.max(most, all[all.length - 1]), -Infinity);
  const frames = Math.round((stop - start) / interval) + 1;
  const width = series.length;
  if (frames * width > CELLS_MAX)
    throw new MillraceError(
      "USAGE_INVALID",
      `${entity} has ${width} series over ${frames} intervals of ${interval} ms: give a longer --interval, or fewer samples.`,
    );
  const present = new Uint8Array(frames * width);
  times.forEach((all, s) => {
    for (const ms of all) present[Math.round((ms - start) / interval) * width + s] = 1;
  });
  const table = { present, frames, width };
  const firsts = new Int32Array(width);
  firstPresences(table, firsts, 0);
  const kinds = new Uint8Array(frames * width);
  classifyMissing(table, firsts, 0, PERIOD_MAX, kinds, 0);
  return series.map((key, s) => {
    const count = (bit: number) => {
      let found = 0;
      for (let cell = s; cell < kinds.length; cell += width) found += Number((kinds[cell] & bit) !== 0);
      return found;
    };
    return {
      entity,
      series: key,
      intervalMs: interval,
      expected: frames - firsts[s],
      missing: count(-1),
      isolated: count(missingBits.isolated),
      inRuns: count(missingBits.run),
      inWholeFrames: count(missingBits.whole_frame),
      periodic: count(missingBits.periodic),
      periodMs: missingPeriod(table, s, firsts[s], PERIOD_MAX) * interval,
    };
  });
}

/** How much less or more than the median a distance is that no sample is missing in. */
const JITTER_SHARE = 0.1;

/** The mean of those about the median distance, which itself is off where samples come early and late in turn; NaN for none. */
function usualDistance(times: Float64Array): number {
  const distances = [...times.subarray(1)].map((ms, i) => ms - times[i]);
  const median = medianOf(distances);
  const usual = distances.filter((ms) => Math.abs(ms - median) <= JITTER_SHARE * median);
  return Math.round(usual.reduce((sum, ms) => sum + ms, 0) / usual.length);
}

/** The lower one of two in the middle; NaN of none. */
function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1] ?? NaN;
}
