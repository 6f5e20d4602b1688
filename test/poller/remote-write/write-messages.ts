import protobuf from "protobufjs";
import { compressSync } from "snappy";

/**
 * The messages of both protocols, encoded by protobufjs's own encoder. After Prometheus's prompb/types.proto,
 * prompb/remote.proto and prompb/io/prometheus/write/v2/types.proto, with the fields that matter here.
 */
const root = protobuf.parse(
  `
  syntax = "proto3";
  package test;

  message WriteRequest {
    repeated TimeSeries timeseries = 1;
    repeated MetricMetadata metadata = 3;
  }
  message MetricMetadata { int32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
  message TimeSeries {
    repeated Label labels = 1;
    repeated Sample samples = 2;
    repeated Exemplar exemplars = 3;
    repeated Histogram histograms = 4;
  }
  message Label { bytes name = 1; bytes value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
  message Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
  message Histogram { uint64 count_int = 1; double sum = 3; sint32 schema = 4; int64 timestamp = 15; }

  message Request { repeated bytes symbols = 4; repeated TimeSeries2 timeseries = 5; }
  message TimeSeries2 {
    repeated uint32 labels_refs = 1;
    repeated Sample samples = 2;
    repeated Histogram histograms = 3;
    repeated Exemplar2 exemplars = 4;
    Metadata metadata = 5;
    int64 created_timestamp = 6;
  }
  message Exemplar2 { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
  message Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
  `,
  { keepCase: true },
).root;

export interface SentSample {
  readonly timestamp: number;
  /** "stale" is Prometheus's stale marker. */
  readonly value: number | "stale";
}

export interface SentSeries {
  /** Names and values, in the order in which they are written. */
  readonly labels: readonly (readonly [string, string])[];
  readonly samples?: readonly SentSample[];
  readonly histograms?: number;
  readonly exemplars?: number;
  /** The number of the type, in metadata of 2.0. */
  readonly type?: number;
  readonly startTimestamp?: number;
}

export const STALE_BITS = 0x7ff0000000000002n;
/** What stands for the stale marker until its bits are put in: doubles go through JavaScript, which may change a NaN's. */
const PLACEHOLDER = -1.234567890123e-300;

function encode(type: string, message: object): Buffer {
  const bytes = Buffer.from(root.lookupType(`test.${type}`).encode(message).finish());
  const placeholder = Buffer.alloc(8);
  placeholder.writeDoubleLE(PLACEHOLDER);
  for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder, at))
    bytes.writeBigUInt64LE(STALE_BITS, at);
  return bytes;
}

function samplesOf({ samples = [], startTimestamp }: SentSeries): object[] {
  return samples.map(({ timestamp, value }) => ({
    timestamp,
    value: value === "stale" ? PLACEHOLDER : value,
    ...(startTimestamp === undefined ? {} : { start_timestamp: startTimestamp }),
  }));
}

function many(count: number | undefined, one: object): object[] {
  return Array.from({ length: count ?? 0 }, () => one);
}

/** A prometheus.WriteRequest of these series and metric families with the numbers of their types. */
export function writeRequest1(
  series: readonly SentSeries[],
  families: Readonly<Record<string, number>> = {},
): Buffer {
  return encode("WriteRequest", {
    timeseries: series.map((one) => ({
      labels: one.labels.map(([name, value]) => ({ name: Buffer.from(name), value: Buffer.from(value) })),
      samples: samplesOf(one),
      exemplars: many(one.exemplars, { value: 1, timestamp: 1, labels: [] }),
      histograms: many(one.histograms, { count_int: 3, sum: 4.5, schema: 2, timestamp: 1 }),
    })),
    metadata: Object.entries(families).map(([name, type]) => ({
      metric_family_name: name,
      type,
      help: "Some help.",
    })),
  });
}

/** An io.prometheus.write.v2.Request. */
export function writeRequest2(series: readonly SentSeries[]): Buffer {
  const indices = new Map([["", 0]]);
  const ref = (symbol: string) => {
    const known = indices.get(symbol);
    if (known !== undefined) return known;
    indices.set(symbol, indices.size);
    return indices.size - 1;
  };
  const timeseries = series.map((one) => ({
    labels_refs: one.labels.flat().map(ref),
    samples: samplesOf(one),
    histograms: many(one.histograms, { count_int: 3, sum: 4.5, schema: 2, timestamp: 1 }),
    exemplars: many(one.exemplars, { labels_refs: [ref("trace_id"), ref("abc")], value: 1, timestamp: 1 }),
    ...(one.type === undefined ? {} : { metadata: { type: one.type, help_ref: ref("Some help.") } }),
  }));
  return encode("Request", { symbols: [...indices.keys()].map((text) => Buffer.from(text)), timeseries });
}

/** A message of 2.0 with a table of symbols that is as it is. */
export function rawRequest2(symbols: readonly Buffer[], labelsRefs: readonly number[]): Buffer {
  const samples = [{ value: 1, timestamp: 1_000 }];
  return encode("Request", { symbols, timeseries: [{ labels_refs: labelsRefs, samples }] });
}

/** A message of 1.0 with one series whose labels need not be text. */
export function rawRequest1(labels: readonly (readonly [Buffer, Buffer])[]): Buffer {
  const samples = [{ value: 1, timestamp: 1_000 }];
  return encode("WriteRequest", {
    timeseries: [{ labels: labels.map(([name, value]) => ({ name, value })), samples }],
  });
}

export function compressed(message: Buffer): Buffer {
  return compressSync(message);
}
