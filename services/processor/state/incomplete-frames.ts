import { isIncomplete } from "../../kernels/missing/presence.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import type { CompletenessPlan, FeaturePlan } from "../feature-plan.js";
import type { EntityState } from "./partition-state.js";
import { intervalUpTo } from "./sample-interval.js";
import { type SeriesWindow, entryKinds } from "./series-window.js";

/**
 * A sample is due within so much of an interval. Targets of one entity are scraped at different phases, and one is not
 * missing from another's frame; Prometheus itself keeps its scrapes to a hundredth of the interval.
 */
const TOLERANCE = 0.01;

/**
 * The times from ... to at which an entity's samples lack more of the expected series than the threshold allows. Expected
 * are the series with a sample at that time, and those at whose own interval one was due. The result depends on the
 * samples in (from − lookback, to] only.
 */
export function incompleteTimes(
  { windows }: EntityState,
  plan: FeaturePlan,
  { threshold, lookbackMs }: CompletenessPlan,
  from: number,
  to: number,
): number[] {
  const measured = [...windows.values()].filter(
    ({ series }) => !plan.combined.some(({ metric }) => metric === series.metric),
  );
  const times = from === to ? [from] : sampleTimes(measured, from, to);
  const present = new Int32Array(times.length);
  const missing = new Int32Array(times.length);
  for (const window of measured) {
    let at = firstAfter(window.timestamps, window.first, window.end, from - 1);
    times.forEach((time, i) => {
      while (at < window.end && window.timestamps[at] < time) at++;
      if (hasSample(window, at, time)) present[i]++;
      else if (isDue(window, at, time, lookbackMs)) missing[i]++;
    });
  }
  return times.filter((_, i) => isIncomplete(missing[i] / (missing[i] + present[i]), threshold));
}

/** Whether the entry at an index is a sample of this time. */
function hasSample({ timestamps, kinds, end }: SeriesWindow, at: number, timestamp: number): boolean {
  return at < end && timestamps[at] === timestamp && kinds[at] !== entryKinds.filledIn;
}

function sampleTimes(windows: readonly SeriesWindow[], from: number, to: number): number[] {
  const times = new Set<number>();
  for (const { timestamps, kinds, first, end } of windows) {
    for (let at = firstAfter(timestamps, first, end, from - 1); at < end && timestamps[at] <= to; at++) {
      if (kinds[at] !== entryKinds.filledIn) times.add(timestamps[at]);
    }
  }
  return [...times].sort((a, b) => a - b);
}

/** Whether a sample of the series is due at a time, judged by those of its entries before an index. */
function isDue(window: SeriesWindow, before: number, time: number, lookbackMs: number): boolean {
  const { timestamps, kinds, first } = window;
  let last = before - 1;
  while (last >= first && kinds[last] === entryKinds.filledIn) last--;
  if (last < first || timestamps[last] <= time - lookbackMs) return false;
  const interval = intervalUpTo(window, last, time - lookbackMs);
  if (interval === Infinity) return false;
  const since = time - timestamps[last];
  const off = since % interval;
  return since > interval / 2 && Math.min(off, interval - off) <= interval * TOLERANCE;
}
