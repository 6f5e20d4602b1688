import { Observable, type OperatorFunction } from "rxjs";
import { rollingFeatures } from "../../kernels/rolling-features.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { type Entity, type FeatureFrame, type Origin, flagBits, metricTypes } from "../../shared/frame.js";
import { internSeries } from "../../shared/series.js";
import type { FeaturePlan } from "../feature-plan.js";
import type { Changes } from "../state/changes.js";
import { isolationOf } from "../state/detect-outlier.js";
import { seenValues } from "../state/judge.js";
import {
  type SeriesWindow,
  entryAt,
  entryKinds,
  isCounter,
  isImputed,
  seriesAt,
} from "../state/series-window.js";

/**
 * Emits the rows of each frame's newest samples at once. Rows that a late sample touches, and those that were filled in, are
 * emitted when the input completes, once each however many samples touched them, or before the entity's time goes on so far
 * that they could be corrected no more. Rows that are left out are retracted, if only some of their time had come before.
 */
export function derive(plan: FeaturePlan): OperatorFunction<Changes, FeatureFrame> {
  return (changes) =>
    new Observable((subscriber) => {
      const pending: Pending = new Map();
      const correct = (touched: readonly Touched[]) => {
        for (const rows of corrections(plan, touched)) subscriber.next(rows);
      };
      return changes.subscribe({
        next: (change) => {
          const { entity } = change.input.frame;
          const waiting = pending.get(entity);
          if (waiting !== undefined && waiting.oldest < change.correctedFrom) {
            pending.delete(entity);
            correct(waiting.touched);
          }
          const rows = newestRows(plan, change);
          putOff(plan, change, pending);
          if (rows !== null) subscriber.next(rows);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          correct([...pending.values()].flatMap(({ touched }) => touched));
          subscriber.complete();
        },
      });
    });
}

/** What caused an emission. */
interface Cause {
  readonly entity: Entity;
  readonly revision: number;
  readonly knownAt: number;
  readonly origin: Origin;
  /** Times of the entity at which too much is missing. */
  readonly incomplete: ReadonlySet<number>;
}

/** Rows of a series that are to be emitted again: those at times in [from, to]; and one that must go, at `gone`. */
interface Touched extends Cause {
  readonly window: SeriesWindow;
  readonly from: number;
  readonly to: number;
  readonly gone: { readonly timestamp: number; readonly type: number } | null;
}

/** By entity what was put off, and the oldest of these rows' times. */
type Pending = Map<Entity, { oldest: number; readonly touched: Touched[] }>;

function newestRows(plan: FeaturePlan, { input, entity, windows, outcomes }: Changes): FeatureFrame | null {
  const { offset, frame } = input;
  let count = 0;
  for (const outcome of outcomes) count += Number(outcome === "appended");
  if (count === 0 || isDropped(plan, entity.incomplete, frame.timestamp)) return null;
  const rows: FeatureFrame = {
    ...emptyFrame(plan, count),
    entity: frame.entity,
    timestamp: frame.timestamp,
    revision: offset,
    knownAt: frame.ingestedAt,
    origin: frame.origin,
  };
  for (let i = 0; i < windows.length; i++) {
    if (outcomes[i] !== "appended") continue;
    writeRow(windows[i], plan, windows[i].end - 1, entity.incomplete, rows, rows.series.length);
    rows.series.push(windows[i].series);
  }
  return rows;
}

/** Notes what else than the newest rows a change touches: rows that come later see it anyway, under a revision of their own. */
function putOff(plan: FeaturePlan, change: Changes, pending: Pending): void {
  const { input, correctedFrom, windows, outcomes, from, to, gone, flipped } = change;
  const { offset, frame } = input;
  const { timestamp } = frame;
  const cause: Cause = {
    entity: frame.entity,
    revision: offset,
    knownAt: frame.ingestedAt,
    origin: frame.origin,
    incomplete: change.entity.incomplete,
  };
  const note = (touched: Touched) => {
    let waiting = pending.get(frame.entity);
    if (waiting === undefined) pending.set(frame.entity, (waiting = { oldest: Infinity, touched: [] }));
    waiting.oldest = Math.min(waiting.oldest, touched.from);
    waiting.touched.push(touched);
  };
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i];
    const newest = window.timestamps[window.end - 1];
    const isAppend = outcomes[i] === "appended";
    const start = isAppend ? from[i] : Math.max(from[i], correctedFrom);
    const stop = isAppend ? timestamp - 1 : Math.min(to[i] + plan.largestWindowMs - 1, newest);
    if (start <= stop) note({ ...cause, window, from: start, to: stop, gone: null });
  }
  for (const { window, timestamp: at } of flipped) {
    if (at >= correctedFrom) note({ ...cause, window, from: at, to: at, gone: null });
  }
  for (const { window, timestamp: at, type } of gone) {
    if (at >= correctedFrom) note({ ...cause, window, from: at, to: at, gone: { timestamp: at, type } });
  }
}

/** One frame for all rows of an entity and time that the same input frame corrects, or has go. */
interface Correction extends Cause {
  readonly timestamp: number;
  readonly retracted: boolean;
  /** Where a row is gone: which type its series had. */
  readonly rows: { readonly window: SeriesWindow; readonly index: number; readonly type: number }[];
}

/** The frames of all touched rows, oldest first, each row once with the latest of the revisions that touched it. */
function* corrections(plan: FeaturePlan, all: readonly Touched[]): Generator<FeatureFrame> {
  const byWindow = new Map<SeriesWindow, Touched[]>();
  for (const touched of all) {
    const known = byWindow.get(touched.window);
    if (known === undefined) byWindow.set(touched.window, [touched]);
    else known.push(touched);
  }

  const frames = new Map<string, Correction>();
  const add = (cause: Touched, timestamp: number, retracted: boolean, row: Correction["rows"][number]) => {
    const { entity, revision, knownAt, origin, incomplete } = cause;
    const key = `${timestamp} ${revision} ${retracted} ${entity.key}`;
    let frame = frames.get(key);
    if (frame === undefined)
      frames.set(
        key,
        (frame = { entity, timestamp, revision, knownAt, origin, incomplete, retracted, rows: [] }),
      );
    frame.rows.push(row);
  };
  for (const [window, touched] of byWindow) {
    const { timestamps, first, end, types, kinds } = window;
    const from = touched.reduce((least, one) => Math.min(least, one.from), Infinity);
    const to = touched.reduce((most, one) => Math.max(most, one.to), -Infinity);
    const start = firstAfter(timestamps, first, end, from - 1);
    for (let index = start; index < end && timestamps[index] <= to; index++) {
      const timestamp = timestamps[index];
      const cause = latest(touched, timestamp);
      if (cause === null) continue;
      // What is filled in is in no frame.
      const isGone = kinds[index] !== entryKinds.filledIn && isDropped(plan, cause.incomplete, timestamp);
      add(cause, timestamp, isGone, { window, index, type: types[index] });
    }
    for (const { timestamp, type } of goneOf(touched)) {
      // Filled in again meanwhile, or measured after all.
      if (entryAt(window, timestamp) >= 0) continue;
      add(latest(touched, timestamp)!, timestamp, true, { window, index: -1, type });
    }
  }
  const inOrder = [...frames.values()].sort((a, b) => a.timestamp - b.timestamp || a.revision - b.revision);
  for (const correction of inOrder) yield correctedFrame(plan, correction);
}

/** Whether the rows of a time are left out, since too much is missing. */
function isDropped(
  { completeness }: FeaturePlan,
  incomplete: ReadonlySet<number>,
  timestamp: number,
): boolean {
  return completeness?.drops === true && incomplete.size > 0 && incomplete.has(timestamp);
}

/** The latest that touched the row of this time. */
function latest(touched: readonly Touched[], timestamp: number): Touched | null {
  let found: Touched | null = null;
  for (const one of touched) {
    if (timestamp < one.from || timestamp > one.to) continue;
    if (found === null || one.revision > found.revision) found = one;
  }
  return found;
}

/** Each time once. */
function goneOf(touched: readonly Touched[]): { timestamp: number; type: number }[] {
  const gone = touched.flatMap((one) => one.gone ?? []);
  return [...new Map(gone.map((one) => [one.timestamp, one])).values()];
}

function correctedFrame(plan: FeaturePlan, { rows, incomplete, ...head }: Correction): FeatureFrame {
  const frame: FeatureFrame = { ...emptyFrame(plan, rows.length), ...head };
  rows.forEach(({ window, index, type }, row) => {
    if (head.retracted) {
      const { metric, labels } = window.series;
      frame.series.push(internSeries(metric, labels, metricTypes[type]));
      frame.values[row] = NaN;
      frame.features.fill(NaN, row * plan.columns.length, (row + 1) * plan.columns.length);
    } else {
      frame.series.push(seriesAt(window, index));
      writeRow(window, plan, index, incomplete, frame, row);
    }
  });
  return frame;
}

/** With room for so many rows. */
function emptyFrame(
  { columns }: FeaturePlan,
  count: number,
): Pick<FeatureFrame, "retracted" | "series" | "values" | "flags" | "features"> {
  return {
    retracted: false,
    series: [],
    values: new Float64Array(count),
    flags: new Int32Array(count),
    features: new Float64Array(count * columns.length),
  };
}

/** Writes value, flags and features of the entry at an index as a row of the frame. */
function writeRow(
  window: SeriesWindow,
  plan: FeaturePlan,
  index: number,
  incomplete: ReadonlySet<number>,
  { entity, values, flags, features }: FeatureFrame,
  row: number,
): void {
  const { timestamps, cleaned, judged, first, rolling } = window;
  const asCounter = isCounter(window, index);
  // What is measured stays what was read where nothing better is known.
  const isCleaned = !asCounter && Number.isFinite(cleaned[index]);
  values[row] = isCleaned ? cleaned[index] : window.values[index];
  flags[row] = window.flags[index];
  // What is filled in is in no frame.
  if (incomplete.size > 0 && incomplete.has(timestamps[index]) && window.kinds[index] !== entryKinds.filledIn)
    flags[row] |= flagBits.incomplete;
  const seen = seenValues(window, plan, asCounter);
  const width = plan.columns.length;
  let column = row * width;
  rollingFeatures(plan.rolling, rolling, timestamps, seen, first, index + 1, features, column);
  column += plan.rollingWidth;
  for (const { columns, write } of plan.groups) {
    write(timestamps, seen, first, index + 1, features, column);
    column += columns.length;
  }
  if (plan.outliers?.method === "isolation_forest")
    features[column++] = isolationOf(window, plan.outliers, index);
  if (plan.scaling !== null) {
    const kind = asCounter ? "rate" : "value";
    features[column++] = plan.scaling(entity.key, window.series.key, kind, seen[index]);
  }
  features[column] = asCounter ? (isImputed(window, index) ? cleaned : judged)[index] : NaN;
}
