import { type Scaler, fitScaler } from "../kernels/scale/scalers.js";
import type { Entity, FeatureFrame, Series } from "../shared/frame.js";
import { type SeriesFit, scaledKinds } from "../shared/scaling-fits.js";

/** What rows of each series were, to be fitted when all have come: some 17 bytes a row. */
export interface FitColumns {
  /** The rows of a frame, of each the value in column `column`. A row that comes again replaces the earlier one. */
  readonly add: (rows: FeatureFrame, column: number) => void;
  /** By entity and series, in the order of their keys; those without a value have none. */
  readonly fits: (scaler: Scaler) => Generator<SeriesFit>;
}

interface Rows {
  readonly entity: Entity;
  readonly seriesKey: string;
  timestamps: Float64Array;
  values: Float64Array;
  /** Index in `scaledKinds`. */
  kinds: Uint8Array;
  count: number;
}

const INITIAL_CAPACITY = 64;
const RATE = scaledKinds.indexOf("rate");
const VALUE = scaledKinds.indexOf("value");

/** Takes the rows at times from `fromMs` to `toMs`, both included. */
export function openFitColumns(fromMs: number, toMs: number): FitColumns {
  const known = new Map<string, Rows>();
  const rowsOf = (entity: Entity, { key }: Series): Rows => {
    const name = `${entity.key} ${key}`;
    let rows = known.get(name);
    if (rows === undefined) known.set(name, (rows = emptyRows(entity, key)));
    return rows;
  };
  return {
    add: ({ entity, timestamp, retracted, series, features }, column) => {
      if (timestamp < fromMs || timestamp > toMs) return;
      const width = features.length / series.length;
      series.forEach((one, row) => {
        const value = retracted ? NaN : features[row * width + column];
        push(rowsOf(entity, one), timestamp, value, one.type === "counter" ? RATE : VALUE);
      });
    },
    fits: function* (scaler) {
      for (const name of [...known.keys()].sort()) yield* fitsOf(known.get(name)!, scaler);
    },
  };
}

function emptyRows(entity: Entity, seriesKey: string): Rows {
  return {
    entity,
    seriesKey,
    timestamps: new Float64Array(INITIAL_CAPACITY),
    values: new Float64Array(INITIAL_CAPACITY),
    kinds: new Uint8Array(INITIAL_CAPACITY),
    count: 0,
  };
}

function push(rows: Rows, timestamp: number, value: number, kind: number): void {
  if (rows.count === rows.timestamps.length) {
    const larger = <Column extends Float64Array | Uint8Array>(column: Column, empty: Column) => {
      empty.set(column);
      return empty;
    };
    rows.timestamps = larger(rows.timestamps, new Float64Array(2 * rows.count));
    rows.values = larger(rows.values, new Float64Array(2 * rows.count));
    rows.kinds = larger(rows.kinds, new Uint8Array(2 * rows.count));
  }
  rows.timestamps[rows.count] = timestamp;
  rows.values[rows.count] = value;
  rows.kinds[rows.count++] = kind;
}

function* fitsOf(rows: Rows, scaler: Scaler): Generator<SeriesFit> {
  const { entity, seriesKey, timestamps, values, kinds } = rows;
  const order = newestOfEachTime(rows);
  for (const [kind, of] of scaledKinds.entries()) {
    const fitted = order.filter((i) => kinds[i] === kind && Number.isFinite(values[i]));
    if (fitted.length === 0) continue;
    const fittedOn = {
      columns: [seriesKey],
      fromMs: timestamps[fitted[0]],
      toMs: timestamps[fitted[fitted.length - 1]],
    };
    const table = Float64Array.from(fitted, (i) => values[i]);
    yield { entity: entity.labels, of, fit: fitScaler(scaler, table, fittedOn) };
  }
}

/** Indices in the order of their times, so that the order of arrival has no influence on a sum. */
function newestOfEachTime({ timestamps, count }: Rows): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => timestamps[a] - timestamps[b] || a - b);
  return order.filter((i, k) => k === count - 1 || timestamps[order[k + 1]] > timestamps[i]);
}
