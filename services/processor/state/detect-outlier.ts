import { isIqrOutlier, minimumOthers } from "../../kernels/iqr.js";
import { type IsolationForest, fitIsolationForest, isolationScore } from "../../kernels/isolation-forest.js";
import type { OutlierMethod } from "../../kernels/outlier-action.js";
import { randomStream } from "../../kernels/random.js";
import { isRobustZScoreOutlier } from "../../kernels/robust-z-score.js";
import { endOf, slide, startOf } from "../../kernels/sliding-windows.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { isZScoreOutlier } from "../../kernels/z-score.js";
import type { OutlierPlan } from "../feature-plan.js";
import type { SeriesWindow } from "./series-window.js";

/** Where the last verdict's numbers are: the fences between which a value is no outlier, NaN where there are none. */
export const fences = new Float64Array(2);

const scoreAndFences = new Float64Array(3);

/** Whether the entry at an index is an outlier among the judged values of its window; its fences are in `fences` then. */
export function isOutlier(window: SeriesWindow, plan: OutlierPlan, at: number): boolean {
  return detectors[plan.method](window, plan, at);
}

const detectors: Record<OutlierMethod, typeof isOutlier> = {
  iqr: (window, plan, at) => {
    const { cells } = sorted(window, plan, at);
    return isIqrOutlier(
      cells,
      startOf(window.judging, 0),
      endOf(window.judging, 0),
      window.judged[at],
      fences,
      0,
    );
  },
  zscore: (window, plan, at) => {
    const { timestamps, judged, first } = window;
    const from = firstAfter(timestamps, first, at + 1, timestamps[at] - plan.windowsMs[0]);
    return withFences(isZScoreOutlier(judged, from, at + 1, at, scoreAndFences, 0));
  },
  robust_zscore: (window, plan, at) => {
    const { cells } = sorted(window, plan, at);
    const start = startOf(window.judging, 0);
    const end = endOf(window.judging, 0);
    return withFences(isRobustZScoreOutlier(cells, start, end, window.judged[at], scoreAndFences, 0));
  },
  isolation_forest: isIsolated,
};

function sorted({ judging, timestamps, judged, first }: SeriesWindow, plan: OutlierPlan, at: number) {
  slide(judging, plan.windowsMs, timestamps, judged, first, at + 1);
  return judging;
}

function withFences(verdict: boolean): boolean {
  fences[0] = scoreAndFences[1];
  fences[1] = scoreAndFences[2];
  return verdict;
}

function isIsolated(window: SeriesWindow, plan: OutlierPlan, at: number): boolean {
  fences.fill(NaN);
  const forest = forestAt(window, plan, at);
  return forest !== null && isolationScore(forest, window.judged, at) > forest.outlierAbove;
}

/** The score of the entry at an index; NaN where there is none. */
export function isolationOf(window: SeriesWindow, plan: OutlierPlan, at: number): number {
  const forest = forestAt(window, plan, at);
  return forest === null ? NaN : isolationScore(forest, window.judged, at);
}

/**
 * The forest that scores the entry at an index: the imported one of its series, or else that which was fitted at the last
 * epoch, a multiple of a quarter of the window since 1970, to the window before it (law L2): the same for all who judge the
 * same sample. Null where there is none, or nothing to score.
 */
export function forestAt(window: SeriesWindow, plan: OutlierPlan, at: number): IsolationForest | null {
  const { timestamps, judged, series } = window;
  if (judged[at] - judged[at] !== 0) return null;
  const imported = plan.importedForest?.(series);
  if (imported) return imported.forest;
  const epochMs = epochOf(plan, timestamps[at]);
  if (window.forest?.epochMs !== epochMs) window.forest = { epochMs, fitted: fitAt(window, plan, epochMs) };
  return window.forest.fitted;
}

/** When the forest was fitted that scores the samples of a time. */
export function epochOf({ epochMs }: OutlierPlan, timestamp: number): number {
  return Math.floor(timestamp / epochMs) * epochMs;
}

/** The times (afterMs, toMs] whose samples a forest is fitted to. */
export function fittedTo(plan: OutlierPlan, epochMs: number): { afterMs: number; toMs: number } {
  return { afterMs: epochMs - plan.windowsMs[0] - 1, toMs: epochMs - 1 };
}

function fitAt({ series, timestamps, judged, first, end }: SeriesWindow, plan: OutlierPlan, epochMs: number) {
  const { afterMs, toMs } = fittedTo(plan, epochMs);
  const from = firstAfter(timestamps, first, end, afterMs);
  const until = firstAfter(timestamps, first, end, toMs);
  const values = judged.slice(from, until).filter((value) => value - value === 0);
  if (values.length < minimumOthers) return null;
  return fitIsolationForest(values, values.length, 1, randomStream(0, series.key, epochMs));
}
