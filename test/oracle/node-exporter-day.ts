import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { SeriesCase } from "./series-cases.js";

/** Written by record-day.ts. */
export const DAY_FILE = "test/oracle/node-exporter-day.json.gz";

/** One target's scrapes: all series have the same timestamps. */
export interface RecordedDay {
  readonly startMs: number;
  /** From each scrape to the next. */
  readonly deltasMs: readonly number[];
  readonly series: readonly {
    readonly name: string;
    readonly type: "gauge" | "counter";
    /** As Prometheus writes them, a blank between two. */
    readonly values: string;
  }[];
}

export interface RecordedSeries extends SeriesCase {
  readonly type: "gauge" | "counter";
}

/** Gauges and counters of a node exporter on a machine at work, as many scrapes as a day has. */
export function nodeExporterDay(): RecordedSeries[] {
  const day = JSON.parse(gunzipSync(readFileSync(DAY_FILE)).toString()) as RecordedDay;
  const timestamps = new Float64Array(day.deltasMs.length + 1);
  timestamps[0] = day.startMs;
  for (let i = 1; i < timestamps.length; i++) timestamps[i] = timestamps[i - 1] + day.deltasMs[i - 1];
  return day.series.map(({ name, type, values }) => ({
    name,
    type,
    timestamps,
    values: Float64Array.from(values.split(" "), Number),
  }));
}
