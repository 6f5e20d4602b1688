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
  readonly windows: Map<string, SeriesWindow>;
  /** The windows of the last frame in its order: the next frame mostly has the same series. */
  readonly lastWindows: SeriesWindow[];
}

export function openPartitionState(): PartitionState {
  return { entities: new Map(), watermark: -Infinity, sweptAt: -Infinity };
}

export function entityState(state: PartitionState, entity: Entity): EntityState {
  let known = state.entities.get(entity.key);
  if (known === undefined) {
    known = { entity, watermark: -Infinity, windows: new Map(), lastWindows: [] };
    state.entities.set(entity.key, known);
  }
  return known;
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
  if (index < state.lastWindows.length && (guess.series === series || guess.series.key === series.key))
    return guess;
  let window = state.windows.get(series.key);
  if (window === undefined) {
    window = openSeriesWindow(series, plan);
    state.windows.set(series.key, window);
  }
  state.lastWindows[index] = window;
  return window;
}

/** How far back the state of an entity reaches: the lookback of its oldest row that may still be corrected. */
export function retentionMs(plan: FeaturePlan): number {
  return plan.lookbackMs + plan.latenessMs;
}

/** Moves the watermarks to a frame's time, and drops the samples that no row of the entity can depend on any more. */
export function advance(
  state: PartitionState,
  entity: EntityState,
  timestamp: number,
  plan: FeaturePlan,
): void {
  if (timestamp <= entity.watermark) return;
  entity.watermark = timestamp;
  const horizon = timestamp - retentionMs(plan);
  for (const window of entity.windows.values()) dropUntil(window, horizon);
  if (timestamp <= state.watermark) return;
  state.watermark = timestamp;
  // Often enough that idle entities hold little memory, and rarely enough that looking for them costs nothing.
  if (timestamp - state.sweptAt > retentionMs(plan) / 4) {
    state.sweptAt = timestamp;
    dropIdle(state, timestamp - retentionMs(plan));
  }
}

function dropIdle(state: PartitionState, horizon: number): void {
  for (const [key, entity] of state.entities) {
    if (entity.watermark <= horizon) {
      state.entities.delete(key);
      continue;
    }
    for (const [seriesKey, window] of entity.windows) {
      if (window.first === window.end) entity.windows.delete(seriesKey);
    }
    // Its windows may be those that just went.
    entity.lastWindows.length = 0;
  }
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
