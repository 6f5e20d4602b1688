import { type MonoTypeOperatorFunction, tap } from "rxjs";
import { isIqrOutlier } from "../../kernels/iqr.js";
import { endOf, slide, startOf } from "../../kernels/sliding-windows.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { flagBits } from "../../shared/frame.js";
import type { OutlierPlan } from "../feature-plan.js";
import type { Changes } from "../state/changes.js";
import { type SeriesWindow, entryKinds, isCounter } from "../state/series-window.js";

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
      const reach = to[i] + plan.windowsMs[0];
      for (let at = from; at < window.end && window.timestamps[at] < reach; at++) {
        if (window.kinds[at] === entryKinds.filledIn) continue;
        if (decide(window, plan, at)) to[i] = Math.max(to[i], window.timestamps[at]);
      }
      if ((window.flags[from] & flagBits.outlier) === 0) continue;
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

const fences = new Float64Array(2);

/** Whether the entry is not what it was. */
function decide(window: SeriesWindow, plan: OutlierPlan, at: number): boolean {
  const { timestamps, judged, cleaned, flags, first, judging } = window;
  const value = judged[at];
  slide(judging, plan.windowsMs, timestamps, judged, first, at + 1);
  const isOutlier = isIqrOutlier(judging.cells, startOf(judging, 0), endOf(judging, 0), value, fences, 0);
  let result = value;
  if (isOutlier && plan.action === "remove") result = NaN;
  if (isOutlier && plan.action === "clip") result = value < fences[0] ? fences[0] : fences[1];
  const wasOutlier = (flags[at] & flagBits.outlier) !== 0;
  const isImputed = (flags[at] & flagBits.imputed) !== 0;
  const known = isImputed ? NaN : cleaned[at];
  if (wasOutlier === isOutlier && Object.is(known, result)) return false;
  flags[at] = (flags[at] & ~(flagBits.outlier | flagBits.imputed)) | (isOutlier ? flagBits.outlier : 0);
  cleaned[at] = result;
  return true;
}
