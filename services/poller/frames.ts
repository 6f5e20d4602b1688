import type { Entity, Labels, RawFrame, Series } from "../shared/frame.js";

/** What is to be sent of one series: columns of equal length, timestamps ascending, milliseconds since the epoch. */
export interface SeriesRun {
  readonly entity: Entity;
  readonly series: Series;
  readonly timestamps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** The labels that name an entity, of those that the series has. */
export function entityLabels(labels: Labels, names: readonly string[]): Labels {
  const chosen: Record<string, string> = {};
  for (const name of names) {
    if (labels[name]) chosen[name] = labels[name];
  }
  return chosen;
}

/**
 * One frame for each (entity, timestamp), in chronological order, and by entity where times are equal. What is newer than
 * `liveAfter` is news, the rest history.
 */
export function toFrames(
  runs: readonly SeriesRun[],
  read: { source: string; ingestedAt: number; liveAfter: number },
): RawFrame[] {
  const { source, ingestedAt, liveAfter } = read;
  const columns = new Map<Entity, Map<number, { series: Series[]; values: number[] }>>();
  for (const { entity, series, timestamps, values } of runs) {
    let byTime = columns.get(entity);
    if (byTime === undefined) {
      byTime = new Map<number, { series: Series[]; values: number[] }>();
      columns.set(entity, byTime);
    }
    for (let i = 0; i < timestamps.length; i++) {
      const timestamp = timestamps[i];
      let column = byTime.get(timestamp);
      if (column === undefined) {
        column = { series: [], values: [] };
        byTime.set(timestamp, column);
      }
      column.series.push(series);
      column.values.push(values[i]);
    }
  }

  const frames: RawFrame[] = [];
  for (const [entity, byTime] of columns)
    for (const [timestamp, { series, values }] of byTime)
      frames.push({
        entity,
        timestamp,
        origin: timestamp > liveAfter ? "live" : "backfill",
        source,
        ingestedAt,
        series,
        values: Float64Array.from(values),
        stale: new Uint8Array(values.length),
      });
  return frames.sort((a, b) => a.timestamp - b.timestamp || (a.entity.key < b.entity.key ? -1 : 1));
}
