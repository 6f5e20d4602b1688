import { internSeries } from "../../shared/series.js";
import type { Labels } from "../../shared/frame.js";
import type { HistogramTimes, Matrix, SeriesSamples } from "../prometheus-answer.js";
import type { Window } from "../window.js";

/** How many samples of each metric a matrix holds in (from, to], native histograms among them. */
export function heldByMetric({ series, histograms }: Matrix, window: Window): Map<string, number> {
  const held = new Map<string, number>();
  for (const { labels, timestamps } of [...series, ...histograms]) {
    const { __name__: metric = "" } = labels;
    held.set(metric, (held.get(metric) ?? 0) + within(timestamps, window));
  }
  return held;
}

/** The same of each series of one metric, by the series' canonical text. */
export function heldBySeries(
  { series, histograms }: Matrix,
  metric: string,
  window: Window,
): Map<string, number> {
  const held = new Map<string, number>();
  for (const { labels, timestamps } of [...series, ...histograms]) {
    if (labels["__name__"] !== metric) continue;
    const key = keyOf(labels);
    held.set(key, (held.get(key) ?? 0) + within(timestamps, window));
  }
  return held;
}

/** Timestamps ascend. */
function within(timestamps: ArrayLike<number>, { from, to }: Window): number {
  let count = 0;
  for (let i = 0; i < timestamps.length; i++) if (timestamps[i] > from && timestamps[i] <= to) count++;
  return count;
}

/** What is in either of two matrices; where both have a sample, the first one's value. */
export function joined(one: Matrix, other: Matrix): Matrix {
  return {
    series: joinedSeries(one.series, other.series),
    histograms: joinedBy(one.histograms, other.histograms, joinedTimes),
  };
}

/** The series of both, without the same sample twice. */
export function joinedSeries(
  ones: readonly SeriesSamples[],
  others: readonly SeriesSamples[],
): SeriesSamples[] {
  return joinedBy(ones, others, joinedSamples);
}

function joinedBy<Of extends { readonly labels: Labels }>(
  ones: readonly Of[],
  others: readonly Of[],
  join: (one: Of, other: Of) => Of,
): Of[] {
  const byKey = new Map(ones.map((one) => [keyOf(one.labels), one]));
  for (const other of others) {
    const key = keyOf(other.labels);
    const one = byKey.get(key);
    byKey.set(key, one === undefined ? other : join(one, other));
  }
  return [...byKey.values()];
}

function joinedSamples(one: SeriesSamples, other: SeriesSamples): SeriesSamples {
  const values = new Map<number, number>();
  for (const { timestamps, values: shown } of [other, one])
    for (let i = 0; i < timestamps.length; i++) values.set(timestamps[i], shown[i]);
  const timestamps = Float64Array.from(values.keys()).sort();
  return {
    labels: one.labels,
    timestamps,
    values: Float64Array.from(timestamps, (timestamp) => values.get(timestamp)!),
  };
}

function joinedTimes(one: HistogramTimes, other: HistogramTimes): HistogramTimes {
  const timestamps = [...new Set([...one.timestamps, ...other.timestamps])].sort((a, b) => a - b);
  return { labels: one.labels, timestamps };
}

function keyOf({ __name__: metric = "", ...labels }: Labels): string {
  return internSeries(metric, labels, "unknown").key;
}
