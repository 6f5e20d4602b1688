import { rate } from "../../kernels/rate.js";
import {
  type RollingState,
  forgetRollingState,
  openRollingState,
  rollingFeatures,
} from "../../kernels/rolling-features.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { type MetricType, type Series, metricTypes } from "../../shared/frame.js";
import { internSeries } from "../../shared/series.js";
import type { FeaturePlan } from "../feature-plan.js";

/**
 * The samples of one series that features may still depend on, in time order, as parallel columns at `first ... end - 1`.
 * Where a feature comes from is only these columns, so a window that was rebuilt equals the one that was lost.
 */
export interface SeriesWindow {
  /** As the newest sample has it: samples of one series may differ in the type that their source gave them. */
  series: Series;
  /** Milliseconds, strictly ascending. */
  timestamps: Float64Array;
  /** As they were read. */
  values: Float64Array;
  /** 1: in no window, since the value broke a strict rule. */
  excluded: Uint8Array;
  /** Each sample's own type: index in `metricTypes`. A row is computed as the type of its sample says. */
  types: Uint8Array;
  /** What the window statistics are over: the value, or of a counter the rate at that time. NaN: in no window. */
  judged: Float64Array;
  /** Whether `judged` is that of a counter. */
  judgedAsCounter: boolean;
  first: number;
  end: number;
  readonly rolling: RollingState;
}

const INITIAL_CAPACITY = 16;
const COUNTER = metricTypes.indexOf("counter");

export function openSeriesWindow(series: Series, plan: FeaturePlan): SeriesWindow {
  return {
    series,
    timestamps: new Float64Array(INITIAL_CAPACITY),
    values: new Float64Array(INITIAL_CAPACITY),
    excluded: new Uint8Array(INITIAL_CAPACITY),
    types: new Uint8Array(INITIAL_CAPACITY),
    judged: new Float64Array(INITIAL_CAPACITY),
    judgedAsCounter: series.type === "counter",
    first: 0,
    end: 0,
    rolling: openRollingState(plan.rolling),
  };
}

/** `appended`: newest of its series; `inserted`: late; `replaced`: another value for a known time won; else dropped. */
export type AddOutcome = "appended" | "inserted" | "replaced" | "duplicate" | "superseded";

/**
 * Adds a sample; `series` is the window's own, but for the type that its source gives it now. Two samples for one time: the
 * greater value wins, a number before NaN, and of equal values the later type of `metricTypes`, whichever came first.
 */
export function addSample(
  window: SeriesWindow,
  plan: FeaturePlan,
  series: Series,
  timestamp: number,
  value: number,
  isExcluded: boolean,
): AddOutcome {
  const { timestamps, first, end } = window;
  const type = metricTypes.indexOf(series.type);
  const isNewest = end === first || timestamp > timestamps[end - 1];
  if (isNewest) {
    window.series = series;
    const at = makeRoom(window);
    put(window, at, timestamp, value, type, isExcluded);
    window.end = at + 1;
    judge(window, plan, at);
    return "appended";
  }
  const at = firstAfter(timestamps, first, end, timestamp - 1);
  if (timestamps[at] === timestamp) {
    const known = window.values[at];
    const isSame = Object.is(known, value);
    if (isSame && type === window.types[at]) return "duplicate";
    if (isSame ? type < window.types[at] : !wins(value, known)) return "superseded";
    put(window, at, timestamp, value, type, isExcluded);
    if (at === end - 1) window.series = series;
    judgeAgain(window, plan, at);
    return "replaced";
  }
  insertAt(window, at - first);
  const inserted = window.first + at - first;
  put(window, inserted, timestamp, value, type, isExcluded);
  judgeAgain(window, plan, inserted);
  return "inserted";
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
  timestamp: number,
  value: number,
  type: number,
  isExcluded: boolean,
): void {
  window.timestamps[at] = timestamp;
  window.values[at] = value;
  window.types[at] = type;
  window.excluded[at] = isExcluded ? 1 : 0;
}

/** Makes room behind the newest sample, and returns the index of that place. */
function makeRoom(window: SeriesWindow): number {
  const { timestamps, first, end } = window;
  if (end < timestamps.length) return end;
  const count = end - first;
  if (first * 2 >= timestamps.length) {
    // Half of the columns has left the windows: moving the rest costs a copy for as many appends.
    window.timestamps.copyWithin(0, first, end);
    window.values.copyWithin(0, first, end);
    window.excluded.copyWithin(0, first, end);
    window.types.copyWithin(0, first, end);
    window.judged.copyWithin(0, first, end);
  } else {
    const capacity = Math.max(INITIAL_CAPACITY, 2 * count);
    window.timestamps = moved(window.timestamps, new Float64Array(capacity), first, end);
    window.values = moved(window.values, new Float64Array(capacity), first, end);
    window.excluded = moved(window.excluded, new Uint8Array(capacity), first, end);
    window.types = moved(window.types, new Uint8Array(capacity), first, end);
    window.judged = moved(window.judged, new Float64Array(capacity), first, end);
  }
  window.first = 0;
  window.end = count;
  return count;
}

function moved<Column extends Float64Array | Uint8Array>(
  from: Column,
  to: Column,
  first: number,
  end: number,
): Column {
  to.set(from.subarray(first, end));
  return to;
}

/** Moves the samples from this rank on by one place. */
function insertAt(window: SeriesWindow, rank: number): void {
  const end = makeRoom(window);
  const at = window.first + rank;
  window.timestamps.copyWithin(at + 1, at, end);
  window.values.copyWithin(at + 1, at, end);
  window.excluded.copyWithin(at + 1, at, end);
  window.types.copyWithin(at + 1, at, end);
  window.judged.copyWithin(at + 1, at, end);
  window.end = end + 1;
}

/** After a change before the end: the sample's own judged value, and of a counter the rates of those that see it. */
function judgeAgain(window: SeriesWindow, plan: FeaturePlan, from: number): void {
  forgetRollingState(window.rolling);
  const reach = window.timestamps[from] + (window.judgedAsCounter ? plan.rateWindowMs : 0);
  for (let i = from; i < window.end && window.timestamps[i] <= reach; i++) judge(window, plan, i);
}

/** Prometheus learns a metric's type after its first scrape: a counter's rows see the samples before as a counter's, too. */
function judgeAs(window: SeriesWindow, plan: FeaturePlan, asCounter: boolean): void {
  if (window.judgedAsCounter === asCounter) return;
  window.judgedAsCounter = asCounter;
  forgetRollingState(window.rolling);
  for (let i = window.first; i < window.end; i++) judge(window, plan, i);
}

function judge(window: SeriesWindow, plan: FeaturePlan, at: number): void {
  const { values, excluded, judged } = window;
  if (window.judgedAsCounter) judged[at] = rateAt(window, plan, at);
  else judged[at] = excluded[at] === 1 ? NaN : values[at];
}

function rateAt(
  { timestamps, values, excluded, first }: SeriesWindow,
  plan: FeaturePlan,
  at: number,
): number {
  const atMs = timestamps[at];
  const from = firstAfter(timestamps, first, at + 1, atMs - plan.rateWindowMs);
  return rate(timestamps, values, excluded, from, at + 1, atMs, plan.rateWindowMs);
}

/** The series as the sample at `index` has it. */
export function seriesAt({ series, types }: SeriesWindow, index: number): Series {
  const type: MetricType = metricTypes[types[index]];
  return series.type === type ? series : internSeries(series.metric, series.labels, type);
}

/** Whether the row of the sample at `index` depends on a sample of this time, not later than its own. */
export function sees(window: SeriesWindow, plan: FeaturePlan, index: number, timestamp: number): boolean {
  const reach = plan.largestWindowMs + (window.types[index] === COUNTER ? plan.rateWindowMs : 0);
  return window.timestamps[index] - timestamp < reach;
}

/** Drops the samples at or before this time. */
export function dropUntil(window: SeriesWindow, timestamp: number): void {
  const { timestamps, end } = window;
  let { first } = window;
  while (first < end && timestamps[first] <= timestamp) first++;
  window.first = first;
}

/** Writes all columns of the plan for the row of the sample at `index`, at `out[outOffset]`. */
export function writeRow(
  window: SeriesWindow,
  plan: FeaturePlan,
  index: number,
  out: Float64Array,
  outOffset: number,
): void {
  const isCounter = window.types[index] === COUNTER;
  judgeAs(window, plan, isCounter);
  const { timestamps, judged, first, rolling } = window;
  rollingFeatures(plan.rolling, rolling, timestamps, judged, first, index + 1, out, outOffset);
  out[outOffset + plan.columns.length - 1] = isCounter ? judged[index] : NaN;
}
