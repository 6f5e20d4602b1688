import assert from "node:assert/strict";
import { internSeries } from "../../services/shared/series.js";
import type { Labels } from "../../services/shared/frame.js";

/** Values by series (canonical text) and time (milliseconds since the epoch). */
export type Samples = Map<string, Map<number, number>>;

/** (from, to], milliseconds since the epoch. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export function seriesKey(metric: string, labels: Labels): string {
  return internSeries(metric, labels, "unknown").key;
}

export function addSample(samples: Samples, key: string, timestamp: number, value: number): void {
  let ofSeries = samples.get(key);
  if (ofSeries === undefined) samples.set(key, (ofSeries = new Map<number, number>()));
  assert.ok(!ofSeries.has(timestamp), `${key} has two values at ${timestamp}`);
  ofSeries.set(timestamp, value);
}

export function countSamples(samples: Samples): number {
  let count = 0;
  for (const ofSeries of samples.values()) count += ofSeries.size;
  return count;
}

/** InfluxDB holds neither NaN nor infinities. */
export function onlyFinite(samples: Samples): Samples {
  const finite: Samples = new Map();
  for (const [key, ofSeries] of samples) {
    for (const [timestamp, value] of ofSeries) {
      if (Number.isFinite(value)) addSample(finite, key, timestamp, value);
    }
  }
  return finite;
}

/** Fails where a sample is in one and not in the other, or has another value there, bit for bit. */
export function assertSameSamples(actual: Samples, expected: Samples): void {
  const missing = differences(expected, actual);
  const surplus = differences(actual, expected);
  const some = (those: string[]) => `${those.length}: ${those.slice(0, 10).join("; ")}`;
  assert.ok(
    missing.length + surplus.length === 0,
    `of ${countSamples(expected)} samples missing ${some(missing)}\nsurplus ${some(surplus)}`,
  );
}

function differences(those: Samples, others: Samples): string[] {
  const different: string[] = [];
  for (const [key, ofSeries] of those) {
    for (const [timestamp, value] of ofSeries) {
      if (!Object.is(others.get(key)?.get(timestamp), value)) different.push(`${key} ${value} @${timestamp}`);
    }
  }
  return different;
}
