import type { Entity, RawFrame, Series } from "../../shared/frame.js";
import { internSeries } from "../../shared/series.js";
import { PUSHED_SOURCE } from "../../shared/source-name.js";
import type { CommittedSamples } from "./committed-samples.js";
import type { PushedSamples } from "./decoded-request.js";
import type { KnownSeries } from "./known-series.js";
import type { PushedTypes } from "./metadata-types.js";

export interface PushedFrames {
  /** In chronological order, and by entity where times are equal. */
  readonly frames: RawFrame[];
  /** Samples that were left out since they are in Kafka already. */
  readonly again: number;
}

interface Columns {
  readonly series: Series[];
  readonly values: number[];
  readonly stale: number[];
}

/**
 * The frames of several requests together: one for each (entity, timestamp), however the sender had shared its series
 * out. What they hold is remembered in `committed`, so they must come to be in Kafka, or it must go.
 */
export function framesOf(
  requests: readonly PushedSamples[],
  to: { committed: CommittedSamples; types: PushedTypes; ingestedAt: number },
): PushedFrames {
  const { committed, types, ingestedAt } = to;
  const version = types.version();
  const byEntity = new Map<Entity, Map<number, Columns>>();
  const frames: RawFrame[] = [];
  let again = 0;
  for (const { series, timestamps, values, stale } of requests) {
    for (let row = 0; row < series.length; row++) {
      const known = series[row];
      const timestamp = timestamps[row];
      const typed = typedSeries(known, version, types);
      const novelty = committed.add(typed, timestamp, values[row], stale[row]);
      if (novelty === "committed") {
        again++;
        continue;
      }
      let columns: Columns;
      if (novelty === "other value") {
        // A frame has a series once: two values of one time go in two frames, and the processor has a rule for them.
        columns = { series: [], values: [], stale: [] };
        frames.push(
          frameOf(known.entity, timestamp, addRow(columns, typed, values[row], stale[row]), ingestedAt),
        );
      } else {
        columns = columnsAt(byEntity, known.entity, timestamp);
        addRow(columns, typed, values[row], stale[row]);
      }
    }
  }
  for (const [entity, byTime] of byEntity)
    for (const [timestamp, columns] of byTime) frames.push(frameOf(entity, timestamp, columns, ingestedAt));
  frames.sort((a, b) => a.timestamp - b.timestamp || (a.entity.key < b.entity.key ? -1 : 1));
  return { frames, again };
}

function columnsAt(byEntity: Map<Entity, Map<number, Columns>>, entity: Entity, timestamp: number): Columns {
  let byTime = byEntity.get(entity);
  if (byTime === undefined) byEntity.set(entity, (byTime = new Map<number, Columns>()));
  let columns = byTime.get(timestamp);
  if (columns === undefined) byTime.set(timestamp, (columns = { series: [], values: [], stale: [] }));
  return columns;
}

function addRow(columns: Columns, series: Series, value: number, stale: boolean): Columns {
  columns.series.push(series);
  columns.values.push(value);
  columns.stale.push(stale ? 1 : 0);
  return columns;
}

function frameOf(entity: Entity, timestamp: number, columns: Columns, ingestedAt: number): RawFrame {
  return {
    entity,
    timestamp,
    origin: "remote_write",
    source: PUSHED_SOURCE,
    ingestedAt,
    series: columns.series,
    values: Float64Array.from(columns.values),
    stale: Uint8Array.from(columns.stale),
  };
}

function typedSeries(known: KnownSeries, version: number, types: PushedTypes): Series {
  if (known.typed?.version !== version) {
    const { metric, labels, family } = known;
    known.typed = { series: internSeries(metric, labels, types.of(metric, family)), version };
  }
  return known.typed.series;
}
