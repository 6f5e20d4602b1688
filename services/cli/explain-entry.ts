import type { OutlierAction, OutlierMethod } from "../kernels/outlier-action.js";
import { firstAfter } from "../kernels/window-bounds.js";
import type { FeaturePlan, OutlierPlan } from "../processor/feature-plan.js";
import {
  epochOf,
  fences,
  fittedTo,
  forestAt,
  isOutlier,
  isolationOf,
} from "../processor/state/detect-outlier.js";
import { endsOf } from "../processor/state/fill-gaps.js";
import {
  type SeriesWindow,
  entryKinds,
  isCounter,
  isImputed,
  seriesAt,
} from "../processor/state/series-window.js";
import type { MetricType } from "../shared/frame.js";
import { type Span, type SpanOf, rateSpan, spanOf } from "./explain-features.js";

export interface Sample {
  readonly timestamp: number;
  readonly value: number;
}

/** What was decided of one entry of a window, with what it was decided by. NaN is no value. */
export interface EntryExplanation {
  readonly type: MetricType;
  /** As it was read; NaN of a point that was filled in. */
  readonly read: number;
  /** A strict rule keeps it out of every window. */
  readonly isExcluded: boolean;
  /** Null of a point that was filled in. */
  readonly judged: Judged | null;
  /** Null where none are looked for, and of a point that was filled in. */
  readonly outlier: OutlierExplanation | null;
  readonly gap: GapExplanation | null;
  /** What windows see in the end. */
  readonly seen: number;
  /** For each column of the plan. */
  readonly spans: readonly (Span | null)[];
}

interface Judged {
  readonly by: "value" | "rate";
  readonly value: number;
  /** What a rate is of, as it was read. */
  readonly samples: readonly Sample[];
}

export interface OutlierExplanation {
  readonly isOutlier: boolean;
  readonly method: OutlierMethod;
  /** What it is judged against, itself excluded; null of a forest that was fitted elsewhere. */
  readonly against: Span | null;
  /** NaN where nobody can be judged, and of a forest. */
  readonly fences: readonly [number, number];
  /** Of a forest, with its name where it was fitted elsewhere; else null. */
  readonly score: {
    readonly value: number;
    readonly outlierAbove: number;
    readonly imported: string | null;
  } | null;
  readonly action: OutlierAction;
  /** What the action left, before gaps were filled. */
  readonly left: number;
}

/**
 * Of a value that is missing, removed or not finite: the samples that it lies between, null where there is none. The one after
 * it is told of what was filled in only: of what was not, it may come at any time, and changes nothing.
 */
export interface GapExplanation {
  readonly isFilled: boolean;
  readonly value: number;
  readonly before: Sample | null;
  readonly after: Sample | null;
}

/** Reads what stands in the window, and asks again, of the processor's own functions, for what is not kept there. */
export function explainEntry(
  window: SeriesWindow,
  plan: FeaturePlan,
  at: number,
  spansOf: readonly SpanOf[],
): EntryExplanation {
  const { kinds, values, cleaned } = window;
  const isSample = kinds[at] !== entryKinds.filledIn;
  return {
    type: seriesAt(window, at).type,
    read: values[at],
    isExcluded: kinds[at] === entryKinds.excluded,
    judged: isSample ? judgedOf(window, plan, at) : null,
    outlier: isSample && plan.outliers !== null ? outlierOf(window, plan.outliers, at) : null,
    gap: plan.imputation === null ? null : gapOf(window, at),
    seen: cleaned[at],
    spans: spansOnce(window, at, spansOf),
  };
}

function judgedOf(window: SeriesWindow, plan: FeaturePlan, at: number): Judged {
  const value = window.judged[at];
  if (!isCounter(window, at)) return { by: "value", value, samples: [] };
  const { timestamps, values, kinds } = window;
  const { afterMs } = rateSpan(window, plan, at);
  const samples: Sample[] = [];
  for (let i = firstAfter(timestamps, window.first, at + 1, afterMs); i <= at; i++) {
    if (kinds[i] === entryKinds.sample) samples.push({ timestamp: timestamps[i], value: values[i] });
  }
  return { by: "rate", value, samples };
}

function outlierOf(window: SeriesWindow, plan: OutlierPlan, at: number): OutlierExplanation {
  const { cleaned, series } = window;
  const { method, action } = plan;
  const found = isOutlier(window, plan, at);
  const between: [number, number] = [fences[0], fences[1]];
  const imported = plan.importedForest?.(series)?.name ?? null;
  return {
    isOutlier: found,
    method,
    against: imported === null ? againstOf(window, plan, at) : null,
    fences: between,
    score:
      method !== "isolation_forest"
        ? null
        : {
            value: isolationOf(window, plan, at),
            outlierAbove: forestAt(window, plan, at)?.outlierAbove ?? NaN,
            imported,
          },
    action,
    left: isImputed(window, at) ? NaN : cleaned[at],
  };
}

/** The others of its window, or what its series' own forest was fitted to. */
function againstOf(window: SeriesWindow, plan: OutlierPlan, at: number): Span {
  const { judged, timestamps } = window;
  const isForest = plan.method === "isolation_forest" && Number.isFinite(judged[at]);
  const bounds = isForest
    ? fittedTo(plan, epochOf(plan, timestamps[at]))
    : { afterMs: timestamps[at] - plan.windowsMs[0], toMs: timestamps[at] };
  return spanOf(window, bounds, (i) => i !== at && Number.isFinite(judged[i]));
}

function gapOf(window: SeriesWindow, at: number): GapExplanation | null {
  const { cleaned, timestamps, first, end } = window;
  const isFilled = isImputed(window, at);
  if (!isFilled && Number.isFinite(cleaned[at])) return null;
  const { near, far } = endsOf(window, at);
  const sampleAt = (index: number) => ({ timestamp: timestamps[index], value: cleaned[index] });
  return {
    isFilled,
    value: cleaned[at],
    before: near < first ? null : sampleAt(near),
    after: !isFilled || far === end ? null : sampleAt(far),
  };
}

/** Columns of one window have one span. */
function spansOnce(window: SeriesWindow, at: number, spansOf: readonly SpanOf[]): (Span | null)[] {
  const known = new Map<SpanOf, Span | null>();
  return spansOf.map((find) => {
    if (!known.has(find)) known.set(find, find(window, at));
    return known.get(find) ?? null;
  });
}
