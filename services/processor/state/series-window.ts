import type { IsolationForest } from "../../kernels/isolation-forest.js";
import { type RollingState, forgetRollingState, openRollingState } from "../../kernels/rolling-features.js";
import { type SlidingWindows, forget, openSlidingWindows } from "../../kernels/sliding-windows.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { type MetricType, type Series, flagBits, metricTypes } from "../../shared/frame.js";
import { internSeries } from "../../shared/series.js";
import type { FeaturePlan } from "../feature-plan.js";

/**
 * What features of one series may still depend on, in time order, as parallel columns at `first ... end - 1`: its samples,
 * and between them the points that imputation filled in. All that is not read is computed from the samples alone, so a
 * window that was rebuilt equals the one that was lost.
 */
export interface SeriesWindow {
  /** As the newest sample has it: samples of one series may differ in the type that their source gave them. */
  series: Series;
  /** Milliseconds, strictly ascending. */
  timestamps: Float64Array;
  /** As they were read; NaN of a point that was filled in. */
  values: Float64Array;
  /** What an entry is, as `entryKinds` has it. */
  kinds: Uint8Array;
  /** Each sample's own type: index in `metricTypes`. A row is computed as the type of its sample says. */
  types: Uint8Array;
  /** Bits of `flagBits`: of the sample, of the judgement, and of the imputation. */
  flags: Uint8Array;
  /** What a sample is judged by: its value, or of a counter the rate at that time. NaN: nothing to judge. */
  judged: Float64Array;
  /** What windows see: the judged value after outliers were dealt with and gaps filled. NaN: in no window. */
  cleaned: Float64Array;
  /** What the newest sample's value looked like: index in `valueForms`. */
  newestForm: number;
  /** How many of the entries are a counter's. */
  counters: number;
  /** Which kind of row was written last. */
  seenAsCounter: boolean;
  /** While samples of both kinds are there: all of them, up to an index, as a row of that kind sees them. */
  mixed: { readonly values: Float64Array; until: number } | null;
  first: number;
  end: number;
  /** Caches, without influence on any result. */
  readonly rolling: RollingState;
  readonly judging: SlidingWindows;
  forest: { readonly epochMs: number; readonly fitted: IsolationForest | null } | null;
}

export const entryKinds = {
  sample: 0,
  /** A sample in no window, since its value broke a strict rule. */
  excluded: 1,
  /** No sample: a point that was filled in. */
  filledIn: 2,
} as const;

/** What a window knows of a sample that the sample itself does not say. */
const flagsOfJudgement = flagBits.outlier | flagBits.imputed;

const INITIAL_CAPACITY = 16;
const COUNTER = metricTypes.indexOf("counter");

export function openSeriesWindow(series: Series, plan: FeaturePlan): SeriesWindow {
  const cleaned = new Float64Array(INITIAL_CAPACITY);
  return {
    series,
    timestamps: new Float64Array(INITIAL_CAPACITY),
    values: new Float64Array(INITIAL_CAPACITY),
    kinds: new Uint8Array(INITIAL_CAPACITY),
    types: new Uint8Array(INITIAL_CAPACITY),
    flags: new Uint8Array(INITIAL_CAPACITY),
    // Where nothing changes a value, what is judged is what windows see.
    judged: plan.changesValues ? new Float64Array(INITIAL_CAPACITY) : cleaned,
    cleaned,
    newestForm: 0,
    counters: 0,
    seenAsCounter: series.type === "counter",
    mixed: null,
    first: 0,
    end: 0,
    rolling: openRollingState(plan.rolling),
    judging: openSlidingWindows(plan.outliers === null ? 0 : 1),
    forest: null,
  };
}

/** `appended`: newest of its series; `inserted`: late; `replaced`: another value for a known time won; else dropped. */
export type AddOutcome = "appended" | "inserted" | "replaced" | "duplicate" | "superseded";

/** A sample as a window takes it. */
export interface Sample {
  /** The window's own, but for the type that its source gives it now. */
  readonly series: Series;
  readonly timestamp: number;
  readonly value: number;
  /** What the value looked like: index in `valueForms`. */
  readonly form: number;
  /** Bits of `flagBits`. */
  readonly flags: number;
  readonly isExcluded: boolean;
}

/**
 * Adds a sample; what is computed of it is still to be. Two samples for one time: the greater value wins, a number before
 * NaN, of equal values the later type of `metricTypes`, and of equal types the greater flags, whichever came first.
 */
export function addSample(window: SeriesWindow, sample: Sample): AddOutcome {
  const { timestamps, first, end } = window;
  const { series, timestamp, form } = sample;
  const type = metricTypes.indexOf(series.type);
  if (end === first || timestamp > timestamps[end - 1]) {
    window.series = series;
    window.newestForm = form;
    const at = makeRoom(window);
    window.end = at + 1;
    put(window, at, sample, type);
    return "appended";
  }
  const at = firstAfter(timestamps, first, end, timestamp - 1);
  if (timestamps[at] !== timestamp) {
    const inserted = insertAt(window, at);
    put(window, inserted, sample, type);
    return "inserted";
  }
  const isSample = window.kinds[at] !== entryKinds.filledIn;
  if (isSample) {
    const lead = leadOver(window, at, sample, type);
    if (lead === 0) return "duplicate";
    if (lead < 0) return "superseded";
  }
  if (window.types[at] === COUNTER) window.counters--;
  put(window, at, sample, type);
  if (at === end - 1) {
    window.series = series;
    window.newestForm = form;
  }
  return isSample ? "replaced" : "inserted";
}

/** Puts a computed sample at its time, whatever was there before; what is computed of it is still to be. */
export function setSample(window: SeriesWindow, sample: Sample): AddOutcome {
  const at = entryAt(window, sample.timestamp);
  if (at < 0 || window.kinds[at] === entryKinds.filledIn) return addSample(window, sample);
  if (Object.is(window.values[at], sample.value)) return "duplicate";
  if (window.types[at] === COUNTER) window.counters--;
  put(window, at, sample, metricTypes.indexOf(sample.series.type));
  return "replaced";
}

/** Above 0 where the sample wins over the one at an index, and 0 where both say the same. */
function leadOver({ values, types, flags }: SeriesWindow, at: number, sample: Sample, type: number): number {
  if (!Object.is(values[at], sample.value)) return wins(sample.value, values[at]) ? 1 : -1;
  return type - types[at] || sample.flags - (flags[at] & ~flagsOfJudgement);
}

/** A total order over values, so that the winner does not depend on which came first. */
function wins(challenger: number, known: number): boolean {
  if (Number.isNaN(known)) return !Number.isNaN(challenger);
  if (challenger === known) return Object.is(known, -0);
  return challenger > known;
}

function put(
  window: SeriesWindow,
  at: number,
  { timestamp, value, flags, isExcluded }: Sample,
  type: number,
): void {
  window.timestamps[at] = timestamp;
  window.values[at] = value;
  window.kinds[at] = isExcluded ? entryKinds.excluded : entryKinds.sample;
  window.types[at] = type;
  window.flags[at] = flags;
  if (type === COUNTER) window.counters++;
}

/** Puts a point that was filled in at an index, where there is room for it. */
export function putFilledIn(
  window: SeriesWindow,
  at: number,
  { timestamp, value, type }: { timestamp: number; value: number; type: number },
): void {
  window.timestamps[at] = timestamp;
  window.values[at] = NaN;
  window.kinds[at] = entryKinds.filledIn;
  window.types[at] = type;
  window.flags[at] = flagBits.imputed;
  window.judged[at] = NaN;
  window.cleaned[at] = value;
  if (type === COUNTER) window.counters++;
}

/** Makes room behind the newest entry, and returns the index of that place. */
function makeRoom(window: SeriesWindow): number {
  const { timestamps, first, end } = window;
  if (end < timestamps.length) return end;
  const count = end - first;
  if (first * 2 >= timestamps.length) {
    // Half of the columns has left the windows: moving the rest costs a copy for as many appends.
    for (const column of columnsOf(window)) column.copyWithin(0, first, end);
  } else {
    const capacity = Math.max(INITIAL_CAPACITY, 2 * count);
    const larger = <Column extends Float64Array | Uint8Array>(column: Column, empty: Column) => {
      empty.set(column.subarray(first, end));
      return empty;
    };
    const isOne = window.judged === window.cleaned;
    window.timestamps = larger(window.timestamps, new Float64Array(capacity));
    window.values = larger(window.values, new Float64Array(capacity));
    window.kinds = larger(window.kinds, new Uint8Array(capacity));
    window.types = larger(window.types, new Uint8Array(capacity));
    window.flags = larger(window.flags, new Uint8Array(capacity));
    window.cleaned = larger(window.cleaned, new Float64Array(capacity));
    window.judged = isOne ? window.cleaned : larger(window.judged, new Float64Array(capacity));
  }
  window.first = 0;
  window.end = count;
  window.mixed = null;
  return count;
}

function columnsOf(window: SeriesWindow): (Float64Array | Uint8Array)[] {
  const { timestamps, values, kinds, types, flags, judged, cleaned } = window;
  const columns = [timestamps, values, kinds, types, flags, cleaned];
  return judged === cleaned ? columns : [...columns, judged];
}

/** Moves the entries from an index on by one place; returns where that place is now. */
export function insertAt(window: SeriesWindow, index: number): number {
  const rank = index - window.first;
  const end = makeRoom(window);
  const at = window.first + rank;
  for (const column of columnsOf(window)) column.copyWithin(at + 1, at, end);
  window.end = end + 1;
  return at;
}

/** Takes an entry out. */
export function removeAt(window: SeriesWindow, at: number): void {
  if (window.types[at] === COUNTER) window.counters--;
  for (const column of columnsOf(window)) column.copyWithin(at, at + 1, window.end);
  window.end--;
}

/** After any change but an append, or dropping the oldest. */
export function forgetCaches(window: SeriesWindow): void {
  forgetRollingState(window.rolling);
  forget(window.judging);
  window.forest = null;
  window.mixed = null;
}

/** Index of the entry of a time; −1 where there is none. */
export function entryAt({ timestamps, first, end }: SeriesWindow, timestamp: number): number {
  const at = firstAfter(timestamps, first, end, timestamp - 1);
  return at < end && timestamps[at] === timestamp ? at : -1;
}

/** Whether what windows see of the entry at an index was filled in, be it a sample or not. */
export function isImputed({ flags }: SeriesWindow, index: number): boolean {
  return (flags[index] & flagBits.imputed) !== 0;
}

export function isCounter({ types }: SeriesWindow, index: number): boolean {
  return types[index] === COUNTER;
}

/** The series as the entry at `index` has it. */
export function seriesAt({ series, types }: SeriesWindow, index: number): Series {
  const type: MetricType = metricTypes[types[index]];
  return series.type === type ? series : internSeries(series.metric, series.labels, type);
}

/** Drops the entries at or before this time. */
export function dropUntil(window: SeriesWindow, timestamp: number): void {
  const { timestamps, end } = window;
  let { first } = window;
  for (; first < end && timestamps[first] <= timestamp; first++) {
    if (window.types[first] === COUNTER) window.counters--;
  }
  window.first = first;
}
