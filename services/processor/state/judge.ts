import { forgetRollingState } from "../../kernels/rolling-features.js";
import { rate } from "../../kernels/rate.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { flagBits, metricTypes } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import { type SeriesWindow, entryKinds, forgetCaches, isCounter } from "./series-window.js";

const COUNTER = metricTypes.indexOf("counter");

/** What the entry at an index is judged by, as its own type says. */
export function judge(window: SeriesWindow, plan: FeaturePlan, at: number): number {
  return judgedAs(window, plan, at, window.types[at] === COUNTER);
}

/** The same as if all were samples of a counter, or none were. */
export function judgedAs(window: SeriesWindow, plan: FeaturePlan, at: number, asCounter: boolean): number {
  if (window.kinds[at] === entryKinds.filledIn) return NaN;
  if (asCounter) return rateAt(window, plan, at);
  return window.kinds[at] === entryKinds.excluded ? NaN : window.values[at];
}

function rateAt(window: SeriesWindow, plan: FeaturePlan, at: number): number {
  return rateUpTo(window, plan.rateWindowMs, at + 1, window.timestamps[at]);
}

/** The rate at a time, which need not be one of the series' own. */
export function rateAtTime(window: SeriesWindow, rateWindowMs: number, atMs: number): number {
  return rateUpTo(window, rateWindowMs, firstAfter(window.timestamps, window.first, window.end, atMs), atMs);
}

function rateUpTo(
  { timestamps, values, kinds, first }: SeriesWindow,
  rateWindowMs: number,
  end: number,
  atMs: number,
): number {
  const from = firstAfter(timestamps, first, end, atMs - rateWindowMs);
  return rate(timestamps, values, kinds, from, end, atMs, rateWindowMs);
}

/**
 * Prometheus learns a metric's type after its first scrape: a counter's rows see the samples before as a counter's, too, and
 * the rows of those see values. All entries as a row of one kind sees them: `cleaned` but while both kinds are there.
 */
export function seenValues(window: SeriesWindow, plan: FeaturePlan, asCounter: boolean): Float64Array {
  const { first, end, counters, cleaned, types, timestamps } = window;
  if (window.seenAsCounter !== asCounter) {
    window.seenAsCounter = asCounter;
    window.mixed = null;
    forgetRollingState(window.rolling);
  }
  if (counters === (asCounter ? end - first : 0)) return cleaned;
  const mixed = (window.mixed ??= { values: new Float64Array(timestamps.length), until: first });
  for (; mixed.until < end; mixed.until++) {
    const at = mixed.until;
    const isOfKind = (types[at] === COUNTER) === asCounter;
    mixed.values[at] = isOfKind ? cleaned[at] : judgedAs(window, plan, at, asCounter);
  }
  return mixed.values;
}

/** Judges the newest sample; returns its time. */
export function judgeNewest(window: SeriesWindow, plan: FeaturePlan): number {
  const at = window.end - 1;
  window.judged[at] = judge(window, plan, at);
  window.cleaned[at] = window.judged[at];
  return window.timestamps[at];
}

/**
 * After a change before the end: judges the sample of this time, and of a counter those whose rates see it. Returns the time
 * of the last of them; where rows of both kinds are there, of the last that any of them sees otherwise now.
 */
export function judgeAgain(window: SeriesWindow, plan: FeaturePlan, timestamp: number): number {
  forgetCaches(window);
  const { timestamps, first, end, kinds, flags } = window;
  const reach = timestamp + (window.counters > 0 ? plan.rateWindowMs : 1);
  let last = timestamp;
  for (let i = firstAfter(timestamps, first, end, timestamp - 1); i < end && timestamps[i] < reach; i++) {
    if (kinds[i] === entryKinds.filledIn) continue;
    last = timestamps[i];
    if (last > timestamp && !isCounter(window, i)) continue;
    window.judged[i] = judge(window, plan, i);
    window.cleaned[i] = window.judged[i];
    flags[i] &= ~(flagBits.outlier | flagBits.imputed);
  }
  return last;
}
