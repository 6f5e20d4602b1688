import { Observable, type OperatorFunction } from "rxjs";
import { firstAfter } from "../../kernels/window-bounds.js";
import {
  type CleanFrame,
  type Entity,
  type FeatureFrame,
  type Origin,
  flagBits,
} from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import {
  type PartitionState,
  advance,
  entityState,
  retentionMs,
  seriesWindow,
} from "../state/partition-state.js";
import {
  type AddOutcome,
  type SeriesWindow,
  addSample,
  sees,
  seriesAt,
  writeRow,
} from "../state/series-window.js";
import { type At, sampleFlags } from "./validate.js";

export interface DeriveOptions {
  readonly plan: FeaturePlan;
  /** Values that broke a rule are in no window. */
  readonly strict: boolean;
  /** Counts what became of samples that did not simply append. */
  readonly count: (outcome: SampleOutcome, samples: number) => void;
}

/** `needs_replay`, besides what else is said of a sample: rows older than the lateness depend on it, or it is such a row. */
export type SampleOutcome = Exclude<AddOutcome, "appended"> | "too_late" | "needs_replay";

/**
 * Remembers the samples of each frame and emits their rows at once. A late sample enters its windows; the rows that it
 * touches are emitted again, once each however many late samples touched them, when the input completes, or before the
 * entity's time goes on so far that they could be corrected no more.
 */
export function derive(
  options: DeriveOptions,
  state: PartitionState,
): OperatorFunction<At<CleanFrame>, FeatureFrame> {
  const { plan } = options;
  return (frames) =>
    new Observable((subscriber) => {
      const pending: Pending = new Map();
      const correct = (late: readonly Late[]) => {
        for (const rows of corrections(plan, late)) subscriber.next(rows);
      };
      return frames.subscribe({
        next: (input) => {
          const { entity, timestamp } = input.frame;
          const waiting = pending.get(entity);
          if (waiting !== undefined && waiting.oldest < timestamp - plan.latenessMs) {
            pending.delete(entity);
            correct(waiting.late);
          }
          const rows = remember(options, state, input, pending);
          if (rows !== null) subscriber.next(rows);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          correct([...pending.values()].flatMap(({ late }) => late));
          subscriber.complete();
        },
      });
    });
}

/** A sample that came late, and the rows of its series that may see it: those at times in [from, to]. */
interface Late {
  readonly entity: Entity;
  readonly window: SeriesWindow;
  readonly timestamp: number;
  readonly from: number;
  readonly to: number;
  readonly revision: number;
  readonly knownAt: number;
  readonly origin: Origin;
}

/** By entity the late samples whose rows were not emitted again yet, and the oldest of these rows' times. */
type Pending = Map<Entity, { oldest: number; readonly late: Late[] }>;

/**
 * Adds a frame's samples to the state; returns the rows of those that are the newest of their series. With `pending` null
 * that is all: nothing is computed, counted or returned.
 */
export function remember(
  { plan, strict, count }: DeriveOptions,
  state: PartitionState,
  { offset, frame }: At<CleanFrame>,
  pending: Pending | null,
): FeatureFrame | null {
  const { timestamp, series, values, flags } = frame;
  const entity = entityState(state, frame.entity, timestamp, plan);
  if (timestamp <= entity.watermark - retentionMs(plan)) {
    // All rows that it could touch are for a replay of their range.
    if (pending !== null) count("too_late", series.length);
    return null;
  }
  advance(state, entity, { timestamp, offset }, plan);

  // Rows from here on are kept right; what older ones depend on may have been dropped.
  const correctedFrom = entity.watermark - plan.latenessMs;
  const rows = pending === null ? null : openRows(plan, { offset, frame });
  for (let i = 0; i < series.length; i++) {
    // A stale marker says that the series ended; it is no sample.
    if (flags[i] & flagBits.stale) continue;
    const window = seriesWindow(entity, series[i], i, plan);
    const isExcluded = strict && (flags[i] & flagBits.invalid) !== 0;
    const outcome = addSample(window, plan, series[i], timestamp, values[i], isExcluded);
    if (pending === null || rows === null) continue;
    if (outcome !== "appended") count(outcome, 1);
    if (outcome === "duplicate" || outcome === "superseded") continue;
    if (timestamp < correctedFrom) count("needs_replay", 1);
    if (outcome === "appended") {
      const row = rows.series.length;
      rows.series.push(series[i]);
      rows.values[row] = values[i];
      rows.flags[row] = flags[i];
      writeRow(window, plan, window.end - 1, rows.features, row * plan.columns.length);
      continue;
    }
    // Rows that come later see the sample anyway, under a revision of their own.
    const from = Math.max(timestamp, correctedFrom);
    const to = Math.min(timestamp + plan.lookbackMs, window.timestamps[window.end - 1]);
    if (from > to) continue;
    let waiting = pending.get(frame.entity);
    if (waiting === undefined) pending.set(frame.entity, (waiting = { oldest: from, late: [] }));
    waiting.oldest = Math.min(waiting.oldest, from);
    waiting.late.push({
      entity: frame.entity,
      window,
      timestamp,
      from,
      to,
      revision: offset,
      knownAt: frame.ingestedAt,
      origin: frame.origin,
    });
  }
  return rows === null || rows.series.length === 0 ? null : trimmed(rows, plan.columns.length);
}

/** A frame with room for a row of each sample. */
function openRows({ columns }: FeaturePlan, { offset, frame }: At<CleanFrame>): FeatureFrame {
  const count = frame.series.length;
  return {
    entity: frame.entity,
    timestamp: frame.timestamp,
    revision: offset,
    knownAt: frame.ingestedAt,
    retracted: false,
    origin: frame.origin,
    series: [],
    values: new Float64Array(count),
    flags: new Int32Array(count),
    features: new Float64Array(count * columns.length),
  };
}

/** Cuts the columns to the rows that were written. */
function trimmed(rows: FeatureFrame, width: number): FeatureFrame {
  const count = rows.series.length;
  if (count === rows.values.length) return rows;
  rows.values = rows.values.subarray(0, count);
  rows.flags = rows.flags.subarray(0, count);
  rows.features = rows.features.subarray(0, count * width);
  return rows;
}

/** One frame for all rows of an entity and time that the same input frame corrects. */
interface Correction extends Pick<Late, "entity" | "revision" | "knownAt" | "origin"> {
  readonly timestamp: number;
  readonly rows: { window: SeriesWindow; index: number }[];
}

/** The frames of all touched rows, oldest first, each row once with the latest of the revisions that touched it. */
function* corrections(plan: FeaturePlan, late: readonly Late[]): Generator<FeatureFrame> {
  const byWindow = new Map<SeriesWindow, Late[]>();
  for (const sample of late) {
    const samples = byWindow.get(sample.window);
    if (samples === undefined) byWindow.set(sample.window, [sample]);
    else samples.push(sample);
  }

  const frames = new Map<string, Correction>();
  for (const [window, samples] of byWindow) {
    const from = samples.reduce((least, sample) => Math.min(least, sample.from), Infinity);
    const to = samples.reduce((most, sample) => Math.max(most, sample.to), -Infinity);
    const { timestamps, first, end } = window;
    for (
      let index = firstAfter(timestamps, first, end, from - 1);
      index < end && timestamps[index] <= to;
      index++
    ) {
      const timestamp = timestamps[index];
      let latest: Late | undefined;
      for (const sample of samples) {
        if (timestamp < sample.from || timestamp > sample.to) continue;
        if (latest !== undefined && sample.revision <= latest.revision) continue;
        if (sees(window, plan, index, sample.timestamp)) latest = sample;
      }
      if (latest === undefined) continue;
      const { entity, revision, knownAt, origin } = latest;
      const key = `${timestamp} ${revision} ${entity.key}`;
      let frame = frames.get(key);
      if (frame === undefined)
        frames.set(key, (frame = { entity, timestamp, revision, knownAt, origin, rows: [] }));
      frame.rows.push({ window, index });
    }
  }
  const inOrder = [...frames.values()].sort((a, b) => a.timestamp - b.timestamp || a.revision - b.revision);
  for (const correction of inOrder) yield correctedFrame(plan, correction);
}

function correctedFrame(plan: FeaturePlan, { rows, ...head }: Correction): FeatureFrame {
  const width = plan.columns.length;
  const frame: FeatureFrame = {
    ...head,
    retracted: false,
    series: rows.map(({ window, index }) => seriesAt(window, index)),
    values: new Float64Array(rows.length),
    flags: new Int32Array(rows.length),
    features: new Float64Array(rows.length * width),
  };
  rows.forEach(({ window, index }, row) => {
    const value = window.values[index];
    frame.values[row] = value;
    frame.flags[row] = sampleFlags(value, frame.series[row].type);
    writeRow(window, plan, index, frame.features, row * width);
  });
  return frame;
}
