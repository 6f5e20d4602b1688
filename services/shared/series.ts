import {
  MAX_LONG_BYTES,
  type Cursor,
  encodeStringMap,
  writeBytes,
  writeLong,
  writeString,
} from "./avro-wire.js";
import { type Entity, type Labels, type MetricType, type Series, metricTypes } from "./frame.js";

/**
 * Series and entities are interned, so that a frame of a known entity allocates nothing for its labels. The tables hold
 * them weakly: what no frame and no state refers to any more is forgotten.
 */
function createInternTable<Value extends object>() {
  const byKey = new Map<string, WeakRef<Value>>();
  const forget = new FinalizationRegistry<string>((key) => {
    if (byKey.get(key)?.deref() === undefined) byKey.delete(key);
  });
  return (key: string, make: () => Value): Value => {
    const known = byKey.get(key)?.deref();
    if (known !== undefined) return known;
    const made = make();
    byKey.set(key, new WeakRef(made));
    forget.register(made, key);
    return made;
  };
}

const seriesTable = createInternTable<Series>();
const entityTable = createInternTable<Entity>();

/** The series of this name, labels and type. A series whose type changes is another object with the same `key`. */
export function internSeries(metric: string, labels: Labels, type: MetricType): Series {
  const sorted = sortLabels(labels);
  const key = metric + labelsText(sorted);
  return seriesTable(`${type} ${key}`, () => ({
    key,
    metric,
    labels: sorted,
    type,
    encoded: encodeSeries(metric, sorted, type),
  }));
}

export function internEntity(labels: Labels): Entity {
  const sorted = sortLabels(labels);
  const key = labelsText(sorted);
  return entityTable(key, () => ({ key, labels: sorted, encoded: encodeStringMap(sorted) }));
}

/** `{a="x",b="y"}`, with the escapes of Prometheus's text format. */
function labelsText(sorted: Labels): string {
  const parts = Object.entries(sorted).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return `{${parts.join(",")}}`;
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}

/** By code units, not by locale: the order is part of a series' identity. */
function sortLabels(labels: Labels): Labels {
  const names = Object.keys(labels).sort();
  const sorted: Record<string, string> = {};
  for (const name of names) sorted[name] = labels[name];
  return Object.freeze(sorted);
}

function encodeSeries(metric: string, labels: Labels, type: MetricType): Buffer {
  const map = encodeStringMap(labels);
  const cursor: Cursor = {
    buffer: Buffer.allocUnsafe(MAX_LONG_BYTES + Buffer.byteLength(metric) + map.length + 1),
    position: 0,
  };
  writeString(cursor, metric);
  writeBytes(cursor, map);
  writeLong(cursor, metricTypes.indexOf(type));
  return Buffer.from(cursor.buffer.subarray(0, cursor.position));
}
