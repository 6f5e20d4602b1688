import type { Entity, Series } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import { type SeriesWindow, dropUntil, openSeriesWindow } from "./series-window.js";

/** What is remembered of the entities of one input partition. Law L6: never stored, always rebuilt from the input. */
export interface PartitionState {
  readonly entities: Map<string, EntityState>;
  /** The newest event time of the partition; -Infinity before the first frame. */
  watermark: number;
  /** The partition's watermark when idle entities were last looked for. */
  sweptAt: number;
}

export interface EntityState {
  readonly entity: Entity;
  /** The newest event time of the entity. */
  watermark: number;
  /** The partition's watermark when the entity's last frame came. */
  seenAt: number;
  readonly windows: Map<string, SeriesWindow>;
  /** Grows whenever a window comes or goes. */
  windowsVersion: number;
  /** The windows of the last frame in its order: the next frame mostly has the same series. Holes where it had none. */
  readonly lastWindows: (SeriesWindow | undefined)[];
  /** Times at which too much is missing: their rows say so. */
  readonly incomplete: Set<number>;
  /** Where the input may be read again from, oldest first; what came before the first is remembered no more. */
  readonly marks: Mark[];
}

/** The first frame of an entity at or after an event time. */
interface Mark extends Rewind {
  readonly timestamp: number;
  /** The newest event time of the entity before it. */
  readonly newestBefore: number;
}

/** A place in the input to rebuild state from. */
export interface Rewind {
  readonly offset: number;
  /** The partition's watermark before the frame at this offset. */
  readonly watermark: number;
}

/** Marks of an entity: a rewind reads at most one part more than the state reaches back. */
const MARKS_PER_RETENTION = 8;

export function openPartitionState(watermark = -Infinity): PartitionState {
  return { entities: new Map(), watermark, sweptAt: -Infinity };
}

/** The state of the entity that a frame of this time is of. */
export function entityState(
  state: PartitionState,
  entity: Entity,
  timestamp: number,
  plan: FeaturePlan,
): EntityState {
  let known = state.entities.get(entity.key);
  if (known === undefined || isForgotten(state, known, plan)) {
    known = {
      entity,
      watermark: -Infinity,
      seenAt: -Infinity,
      windows: new Map(),
      windowsVersion: 0,
      lastWindows: [],
      incomplete: new Set(),
      marks: [],
    };
    state.entities.set(entity.key, known);
  }
  known.seenAt = Math.max(state.watermark, timestamp);
  return known;
}

/**
 * What was not heard of while the partition's time went on by all that state reaches back is as if it had never been:
 * at its next frame, too, whether its memory was freed meanwhile or not.
 */
function isForgotten(state: PartitionState, entity: EntityState, plan: FeaturePlan): boolean {
  return state.watermark - entity.seenAt > retentionMs(plan);
}

/** The window of the series that stands at this place of its frame. */
export function seriesWindow(
  state: EntityState,
  series: Series,
  index: number,
  plan: FeaturePlan,
): SeriesWindow {
  const guess = state.lastWindows[index];
  // The identity first: the keys of another series are compared only where the frame changed.
  if (guess !== undefined && (guess.series === series || guess.series.key === series.key)) return guess;
  const window = windowOf(state, series, plan);
  state.lastWindows[index] = window;
  return window;
}

export function windowOf(state: EntityState, series: Series, plan: FeaturePlan): SeriesWindow {
  let window = state.windows.get(series.key);
  if (window === undefined) {
    window = openSeriesWindow(series, plan);
    state.windows.set(series.key, window);
    state.windowsVersion++;
  }
  return window;
}

/** How far back the state of an entity reaches: the lookback of its oldest row that may still be corrected. */
export function retentionMs(plan: FeaturePlan): number {
  return plan.lookbackMs + plan.latenessMs + plan.reachBackMs;
}

/** Moves the watermarks to a frame's time, and drops the samples that no row of the entity can depend on any more. */
export function advance(
  state: PartitionState,
  entity: EntityState,
  { timestamp, offset }: { timestamp: number; offset: number },
  plan: FeaturePlan,
): void {
  const newestBefore = entity.watermark;
  if (timestamp <= newestBefore) return;
  entity.watermark = timestamp;
  const horizon = timestamp - retentionMs(plan);
  for (const window of entity.windows.values()) dropUntil(window, horizon);
  for (const time of entity.incomplete) if (time <= horizon) entity.incomplete.delete(time);

  const { marks } = entity;
  const lastMark = marks.length === 0 ? -Infinity : marks[marks.length - 1].timestamp;
  if (timestamp - lastMark >= retentionMs(plan) / MARKS_PER_RETENTION)
    marks.push({ timestamp, newestBefore, offset, watermark: state.watermark });
  while (marks.length > 1 && marks[1].newestBefore <= horizon) marks.shift();

  if (timestamp <= state.watermark) return;
  state.watermark = timestamp;
  // Often enough that idle entities hold little memory, and rarely enough that looking for them costs nothing.
  if (timestamp - state.sweptAt > retentionMs(plan) / 4) {
    state.sweptAt = timestamp;
    dropIdle(state, plan);
  }
}

function dropIdle(state: PartitionState, plan: FeaturePlan): void {
  for (const [key, entity] of state.entities) {
    if (isForgotten(state, entity, plan)) {
      state.entities.delete(key);
      continue;
    }
    for (const [seriesKey, window] of entity.windows) {
      if (window.first < window.end) continue;
      entity.windows.delete(seriesKey);
      entity.windowsVersion++;
    }
    // Its windows may be those that just went.
    entity.lastWindows.length = 0;
  }
}

/**
 * From where on the input leaves this state again, bit for bit; null where it is that of no input at all. By offset, not by
 * time: entities may lie apart by any time, and what an entity still remembers came not before its oldest mark.
 */
export function rewindOf(state: PartitionState, plan: FeaturePlan): Rewind | null {
  let earliest: Rewind | null = null;
  for (const entity of state.entities.values()) {
    if (isForgotten(state, entity, plan)) continue;
    const [{ offset, watermark }] = entity.marks;
    if (earliest === null || offset < earliest.offset) earliest = { offset, watermark };
  }
  return earliest;
}

/** How many series and samples the state holds: what its memory goes by. */
export function stateSize(state: PartitionState): { series: number; samples: number } {
  let series = 0;
  let samples = 0;
  for (const { windows } of state.entities.values()) {
    series += windows.size;
    for (const { first, end } of windows.values()) samples += end - first;
  }
  return { series, samples };
}
