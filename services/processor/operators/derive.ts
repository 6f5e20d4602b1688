import { Observable, type OperatorFunction } from "rxjs";
import { type CleanFrame, type FeatureFrame, type Origin, flagBits } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import {
  type EntityState,
  type PartitionState,
  advance,
  entityState,
  retentionMs,
  seriesWindow,
} from "../state/partition-state.js";
import { type AddOutcome, type SeriesWindow, addSample, reachMs, writeRow } from "../state/series-window.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { type At, sampleFlags } from "./validate.js";

export interface DeriveOptions {
  readonly plan: FeaturePlan;
  /** Values that broke a rule are in no window. */
  readonly strict: boolean;
  /** Counts what became of samples that did not simply append. */
  readonly count: (outcome: SampleOutcome, samples: number) => void;
}

export type SampleOutcome = Exclude<AddOutcome, "appended"> | "too_late" | "needs_replay";

/**
 * Remembers the samples of each frame and emits their rows at once. A late sample enters its windows; the rows that it
 * touches are emitted again when the input completes, once each, however many late samples touched them.
 */
export function derive(
  options: DeriveOptions,
  state: PartitionState,
): OperatorFunction<At<CleanFrame>, FeatureFrame> {
  return (frames) =>
    new Observable((subscriber) => {
      const touched: Touched[] = [];
      return frames.subscribe({
        next: ({ offset, frame }) => {
          const rows = remember(options, state, { offset, frame }, touched);
          if (rows !== null) subscriber.next(rows);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          for (const rows of corrections(options.plan, touched)) subscriber.next(rows);
          subscriber.complete();
        },
      });
    });
}

/** The rows of one series that a late sample touched: those at times in [from, to]. */
interface Touched {
  readonly entity: EntityState;
  readonly window: SeriesWindow;
  readonly from: number;
  readonly to: number;
  readonly revision: number;
  readonly knownAt: number;
  readonly origin: Origin;
}

/** Adds a frame's samples to the state; returns the rows of those that are the newest of their series. */
export function remember(
  { plan, strict, count }: DeriveOptions,
  state: PartitionState,
  { offset, frame }: At<CleanFrame>,
  touched: Touched[],
): FeatureFrame | null {
  const { timestamp, series, values, flags } = frame;
  const entity = entityState(state, frame.entity);
  if (timestamp <= entity.watermark - retentionMs(plan)) {
    // All rows that it could touch are for a replay of their range.
    count("too_late", series.length);
    return null;
  }
  advance(state, entity, timestamp, plan);

  const width = plan.columns.length;
  const rows: FeatureFrame = {
    entity: frame.entity,
    timestamp,
    revision: offset,
    knownAt: frame.ingestedAt,
    retracted: false,
    origin: frame.origin,
    series: [],
    values: new Float64Array(series.length),
    flags: new Int32Array(series.length),
    features: new Float64Array(series.length * width),
  };
  for (let i = 0; i < series.length; i++) {
    // A stale marker says that the series ended; it is no sample.
    if (flags[i] & flagBits.stale) continue;
    const window = seriesWindow(entity, series[i], i, plan);
    const outcome = addSample(
      window,
      plan,
      series[i],
      timestamp,
      values[i],
      strict && (flags[i] & flagBits.invalid) !== 0,
    );
    if (outcome === "appended") {
      const row = rows.series.length;
      rows.series.push(series[i]);
      rows.values[row] = values[i];
      rows.flags[row] = flags[i];
      writeRow(window, plan, window.end - 1, rows.features, row * width);
      continue;
    }
    count(outcome, 1);
    if (outcome === "duplicate" || outcome === "superseded") continue;
    const correctedFrom = entity.watermark - plan.latenessMs;
    if (timestamp <= correctedFrom) count("needs_replay", 1);
    const from = Math.max(timestamp, correctedFrom + 1);
    // Rows that come later see the sample anyway, under a revision of their own. (The window's last bound is excluded.)
    const to = Math.min(timestamp + reachMs(series[i], plan) - 1, window.timestamps[window.end - 1]);
    if (from <= to)
      touched.push({
        entity,
        window,
        from,
        to,
        revision: offset,
        knownAt: frame.ingestedAt,
        origin: frame.origin,
      });
  }
  return rows.series.length === 0 ? null : trimmed(rows, width);
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
interface Correction extends Touched {
  readonly timestamp: number;
  readonly rows: { window: SeriesWindow; index: number }[];
}

/** The frames of all touched rows, oldest first, each row once with the latest of the revisions that touched it. */
function* corrections(plan: FeaturePlan, touched: readonly Touched[]): Generator<FeatureFrame> {
  const byWindow = new Map<SeriesWindow, Touched[]>();
  for (const range of touched) {
    const ranges = byWindow.get(range.window);
    if (ranges === undefined) byWindow.set(range.window, [range]);
    else ranges.push(range);
  }

  const frames = new Map<string, Correction>();
  for (const [window, ranges] of byWindow) {
    const from = Math.min(...ranges.map((range) => range.from));
    const to = Math.max(...ranges.map((range) => range.to));
    const { timestamps, first, end } = window;
    for (
      let index = firstAfter(timestamps, first, end, from - 1);
      index < end && timestamps[index] <= to;
      index++
    ) {
      const timestamp = timestamps[index];
      let latest: Touched | undefined;
      for (const range of ranges) {
        if (timestamp < range.from || timestamp > range.to) continue;
        if (latest === undefined || range.revision > latest.revision) latest = range;
      }
      if (latest === undefined) continue;
      const key = `${timestamp} ${latest.revision} ${latest.entity.entity.key}`;
      let frame = frames.get(key);
      if (frame === undefined) frames.set(key, (frame = { ...latest, timestamp, rows: [] }));
      frame.rows.push({ window, index });
    }
  }
  const inOrder = [...frames.values()].sort((a, b) => a.timestamp - b.timestamp || a.revision - b.revision);
  for (const correction of inOrder) yield correctedFrame(plan, correction);
}

function correctedFrame(
  plan: FeaturePlan,
  { entity, timestamp, revision, knownAt, origin, rows }: Correction,
): FeatureFrame {
  const width = plan.columns.length;
  const frame: FeatureFrame = {
    entity: entity.entity,
    timestamp,
    revision,
    knownAt,
    retracted: false,
    origin,
    series: rows.map(({ window }) => window.series),
    values: new Float64Array(rows.length),
    flags: new Int32Array(rows.length),
    features: new Float64Array(rows.length * width),
  };
  rows.forEach(({ window, index }, row) => {
    const value = window.values[index];
    frame.values[row] = value;
    frame.flags[row] = sampleFlags(value, window.series.type);
    writeRow(window, plan, index, frame.features, row * width);
  });
  return frame;
}
