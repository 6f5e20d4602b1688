import type { FeatureFrame } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface FrameOptions {
  entity?: number;
  rows?: number;
  columns?: readonly string[];
  seed?: number;
  timestamp?: number;
  retracted?: boolean;
  metric?: (row: number) => string;
  revision?: number;
}

/** A frame of made-up gauges of one entity, all values finite. */
export function frameOf(options: FrameOptions = {}): FeatureFrame {
  const { entity = 0, rows = 3, columns = [], seed = 1, timestamp = 1_760_000_000_000 } = options;
  const random = seeded(seed * 7919 + timestamp);
  const labels = { job: "api", instance: `10.0.0.${entity}:9100` };
  return {
    entity: internEntity(labels),
    timestamp,
    revision: options.revision ?? 0,
    knownAt: timestamp + 100,
    retracted: options.retracted ?? false,
    origin: "live",
    series: Array.from({ length: rows }, (_, row) =>
      internSeries(
        options.metric?.(row) ?? `metric_${row % 10}`,
        { ...labels, row: String(row), mountpoint: "/var/lib" },
        "gauge",
      ),
    ),
    values: Float64Array.from({ length: rows }, () => random() * 1000),
    flags: new Int32Array(rows),
    features: Float64Array.from({ length: rows * columns.length }, () => random() * 1000),
  };
}
