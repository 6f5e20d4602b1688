import { forgetRollingState } from "../../kernels/rolling-features.js";
import { rate } from "../../kernels/rate.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { metricTypes } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import { type SeriesWindow, entryKinds } from "./series-window.js";

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

function rateAt({ timestamps, values, kinds, first }: SeriesWindow, plan: FeaturePlan, at: number): number {
  const atMs = timestamps[at];
  const from = firstAfter(timestamps, first, at + 1, atMs - plan.rateWindowMs);
  return rate(timestamps, values, kinds, from, at + 1, atMs, plan.rateWindowMs);
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
