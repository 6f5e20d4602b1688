import { indexAsOf } from "../kernels/momentum.js";
import { firstAfter } from "../kernels/window-bounds.js";
import type { FeatureGroup } from "../processor/feature-groups.js";
import type { FeaturePlan } from "../processor/feature-plan.js";
import { epochOf, fittedTo, isolationOf } from "../processor/state/detect-outlier.js";
import { endsOf } from "../processor/state/fill-gaps.js";
import { seenValues } from "../processor/state/judge.js";
import { type SeriesWindow, entryKinds, isCounter, isImputed } from "../processor/state/series-window.js";
import type { Config } from "../shared/config-schema.js";
import { featureColumnsByKind } from "../shared/feature-columns.js";

/** Which samples a column's value came from. */
export interface Span {
  /** The times looked at, (afterMs, toMs], milliseconds since the epoch. */
  readonly afterMs: number;
  readonly toMs: number;
  /** How many there have a value, and how many of these were filled in. */
  readonly samples: number;
  readonly filledIn: number;
  /** The times of the first and the last of them; NaN where there are none. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Finds the samples of the row at an index; null where the column says nothing of such a row. Columns of one window share it. */
export type SpanOf = (window: SeriesWindow, at: number) => Span | null;

/** For each column of the plan what it is computed of. */
export function spansOfColumns(config: Config, plan: FeaturePlan): SpanOf[] {
  const { rolling, slope, momentum } = featureColumnsByKind(config);
  const features = config.transform.feature_engineering;
  const windows = new Map<number, SpanOf>();
  const windowOf = (windowMs: number): SpanOf => {
    let known = windows.get(windowMs);
    if (known === undefined)
      windows.set(windowMs, (known = (window, at) => seen(window, plan, at, windowMs)));
    return known;
  };
  const byColumn = new Map<string, SpanOf>();
  const perWindow = rolling.length / features.rolling_windows.length;
  rolling.forEach((column, i) =>
    byColumn.set(column, windowOf(features.rolling_windows[Math.floor(i / perWindow)].ms)),
  );
  slope.forEach((column, i) => byColumn.set(column, windowOf(features.slope_windows[i].ms)));
  features.momentum.forEach(({ ms }, i) => {
    const span: SpanOf = (window, at) => compared(window, plan, at, ms, features.momentum_tolerance);
    for (const column of momentum.slice(2 * i, 2 * i + 2)) byColumn.set(column, span);
  });
  for (const group of plan.groups) {
    const span: SpanOf =
      group.spanAt === undefined
        ? windowOf(group.lookbackMs)
        : (window, at) => seenByGroup(window, plan, at, group);
    for (const column of group.columns) if (!byColumn.has(column)) byColumn.set(column, span);
  }
  byColumn.set("iforest_score", (window, at) => fitted(window, plan, at));
  byColumn.set("scaled", itself);
  byColumn.set("rate", (window, at) => ofRate(window, plan, at));
  return plan.columns.map((column) => byColumn.get(column) ?? (() => null));
}

/** What windows see in (t − window, t]. */
function seen(window: SeriesWindow, plan: FeaturePlan, at: number, windowMs: number): Span {
  const toMs = window.timestamps[at];
  return seenWithin(window, plan, at, { afterMs: toMs - windowMs, toMs });
}

/** What windows see of a row's kind between two times. */
function seenWithin(
  window: SeriesWindow,
  plan: FeaturePlan,
  at: number,
  bounds: Pick<Span, "afterMs" | "toMs">,
): Span {
  const values = seenValues(window, plan, isCounter(window, at));
  return spanOf(window, bounds, (i) => Number.isFinite(values[i]));
}

/** What a group sees between its own bounds, or picks of it. */
function seenByGroup(
  window: SeriesWindow,
  plan: FeaturePlan,
  at: number,
  { lookbackMs, spanAt, pick }: FeatureGroup,
): Span {
  const { timestamps, first } = window;
  const toMs = timestamps[at];
  const bounds = spanAt?.(toMs) ?? { afterMs: toMs - lookbackMs, toMs };
  if (pick === undefined) return seenWithin(window, plan, at, bounds);
  const values = seenValues(window, plan, isCounter(window, at));
  const picked = new Set(pick(timestamps, values, first, at + 1));
  return spanOf(window, bounds, (i) => picked.has(i));
}

/** The row's own value, and the earlier one that it is compared with. */
function compared(
  window: SeriesWindow,
  plan: FeaturePlan,
  at: number,
  lagMs: number,
  toleranceMs: number,
): Span {
  const { timestamps, first } = window;
  const values = seenValues(window, plan, isCounter(window, at));
  const base = indexAsOf(timestamps, values, first, at + 1, timestamps[at] - lagMs, toleranceMs);
  const bounds = { afterMs: timestamps[at] - lagMs - toleranceMs - 1, toMs: timestamps[at] };
  return spanOf(window, bounds, (i) => (i === base || i === at) && Number.isFinite(values[i]));
}

/** What the forest that scored the row was fitted to; where that was elsewhere, the row itself. */
function fitted(window: SeriesWindow, { outliers }: FeaturePlan, at: number): Span | null {
  const { judged, timestamps, series } = window;
  if (outliers === null || Number.isNaN(isolationOf(window, outliers, at))) return null;
  if (outliers.importedForest?.(series)) return itself(window, at);
  const bounds = fittedTo(outliers, epochOf(outliers, timestamps[at]));
  return spanOf(window, bounds, (i) => Number.isFinite(judged[i]));
}

function itself(window: SeriesWindow, at: number): Span {
  const toMs = window.timestamps[at];
  return spanOf(window, { afterMs: toMs - 1, toMs }, (i) => i === at);
}

/** The samples, as they were read, that a counter's rate at the row is of; of one filled in, the ends of its gap. */
function ofRate(window: SeriesWindow, plan: FeaturePlan, at: number): Span | null {
  if (!isCounter(window, at)) return null;
  if (!isImputed(window, at)) return rateSpan(window, plan, at);
  const { near, far } = endsOf(window, at);
  const { timestamps } = window;
  const bounds = { afterMs: timestamps[near] - 1, toMs: timestamps[far] };
  return spanOf(window, bounds, (i) => i === near || i === far);
}

export function rateSpan(window: SeriesWindow, { rateWindowMs }: FeaturePlan, at: number): Span {
  const { timestamps, kinds } = window;
  const bounds = { afterMs: timestamps[at] - rateWindowMs, toMs: timestamps[at] };
  return spanOf(window, bounds, (i) => kinds[i] === entryKinds.sample);
}

export function spanOf(
  window: SeriesWindow,
  { afterMs, toMs }: Pick<Span, "afterMs" | "toMs">,
  counts: (index: number) => boolean,
): Span {
  const { timestamps, first, end } = window;
  let samples = 0;
  let filledIn = 0;
  let firstMs = NaN;
  let lastMs = NaN;
  for (let i = firstAfter(timestamps, first, end, afterMs); i < end && timestamps[i] <= toMs; i++) {
    if (!counts(i)) continue;
    if (samples++ === 0) firstMs = timestamps[i];
    lastMs = timestamps[i];
    filledIn += Number(isImputed(window, i));
  }
  return { afterMs, toMs, samples, filledIn, firstMs, lastMs };
}
