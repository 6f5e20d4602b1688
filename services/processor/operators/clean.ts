import { type MonoTypeOperatorFunction, tap } from "rxjs";
import { treatedOutlier } from "../../kernels/outlier-action.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { flagBits } from "../../shared/frame.js";
import type { OutlierPlan } from "../feature-plan.js";
import type { Changes } from "../state/changes.js";
import { fences, isOutlier } from "../state/detect-outlier.js";
import { type SeriesWindow, entryKinds, isCounter, isImputed } from "../state/series-window.js";

/**
 * Judges each sample against the window before it, as the values came and not as they were cleaned (law L3), and flags,
 * removes or clips what lies outside. A late sample has those after it judged again.
 */
export function clean(plan: OutlierPlan): MonoTypeOperatorFunction<Changes> {
  return tap((changes) => {
    const { windows, outcomes, to, samples, input } = changes;
    const { frame } = input;
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i];
      const from = outcomes[i] === "appended" ? window.end - 1 : indexOf(window, changes.from[i]);
      const reach = to[i] + plan.reachMs;
      for (let at = from; at < window.end && window.timestamps[at] < reach; at++) {
        if (window.kinds[at] === entryKinds.filledIn) continue;
        if (decide(window, plan, at)) to[i] = Math.max(to[i], window.timestamps[at]);
      }
      if (samples[i] < 0 || (window.flags[from] & flagBits.outlier) === 0) continue;
      frame.flags[samples[i]] |= flagBits.outlier;
      if (plan.action !== "clip" || isCounter(window, from)) continue;
      if (frame.values === frame.original) frame.values = frame.original.slice();
      frame.values[samples[i]] = window.cleaned[from];
    }
  });
}

function indexOf({ timestamps, first, end }: SeriesWindow, timestamp: number): number {
  return firstAfter(timestamps, first, end, timestamp - 1);
}

/** Whether the entry is not what it was. */
function decide(window: SeriesWindow, plan: OutlierPlan, at: number): boolean {
  const { judged, cleaned, flags } = window;
  const isOut = isOutlier(window, plan, at);
  const value = isOut ? treatedOutlier(plan.action, judged[at], fences[0], fences[1]) : judged[at];
  const wasOut = (flags[at] & flagBits.outlier) !== 0;
  const known = isImputed(window, at) ? NaN : cleaned[at];
  if (wasOut === isOut && Object.is(known, value)) return false;
  flags[at] = (flags[at] & ~(flagBits.outlier | flagBits.imputed)) | (isOut ? flagBits.outlier : 0);
  cleaned[at] = value;
  return true;
}
