import type { KnownSeries } from "./known-series.js";
import { RefusedRequest, type SeriesRefusal, seriesRefusals } from "./refusals.js";
import { type Reader, assertEnd, endOfField, readInt64, skipField, tag } from "./wire-reader.js";

/** Samples as columns, a sample a row. */
export interface PushedSamples {
  readonly series: KnownSeries[];
  /** Milliseconds since the epoch. */
  readonly timestamps: number[];
  /** NaN where `stale` is true. */
  readonly values: number[];
  readonly stale: boolean[];
}

/** What a request holds, of either protocol. */
export interface DecodedRequest {
  readonly samples: PushedSamples;
  /** Metric families and their type words: what a 1.0 request says of types. */
  readonly families: Map<string, string>;
  /** What has no place in a frame. */
  histograms: number;
  exemplars: number;
  /** How many samples of refused series there were, by reason; 0 where a refused series had none. */
  readonly refused: Map<SeriesRefusal, number>;
}

export interface RequestLimits {
  readonly seriesMax: number;
  readonly samplesMax: number;
}

export function emptyRequest(): DecodedRequest {
  return {
    samples: { series: [], timestamps: [], values: [], stale: [] },
    families: new Map(),
    histograms: 0,
    exemplars: 0,
    refused: new Map(),
  };
}

/** What protobufjs throws says where, but not in words that a sender could use. */
export function asRefusal(error: unknown): RefusedRequest {
  if (error instanceof RefusedRequest) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RefusedRequest(400, "protobuf", `The body is not the message that its type says: ${reason}.`);
}

/** Throws RefusedRequest once there are more than there may be. */
export function checkCount(count: number, max: number, what: "series" | "samples"): void {
  if (count <= max) return;
  throw new RefusedRequest(
    413,
    `${what}_too_many`,
    `The request has more ${what} than extract.remote_write.${what}_max, ${max}.`,
  );
}

const VALUE = tag.double(1);
const TIMESTAMP = tag.varint(2);
/** Kafka refuses negative timestamps, and a date is not later. */
const TIMESTAMP_MAX = 8.64e15;

/** One sample: the same message in both protocols, but for the start time that 2.0 may add and frames have no place for. */
export function readSample(reader: Reader, into: PushedSamples): SeriesRefusal | null {
  const end = endOfField(reader, reader.len);
  let value = 0;
  let timestamp = 0;
  let stale = false;
  while (reader.pos < end) {
    const fieldTag = reader.uint32();
    if (fieldTag === VALUE) {
      stale = isStaleMarker(reader.buf, reader.pos);
      value = reader.double();
    } else if (fieldTag === TIMESTAMP) timestamp = readInt64(reader);
    else skipField(reader, fieldTag, end);
  }
  assertEnd(reader, end);
  into.timestamps.push(timestamp);
  into.values.push(stale ? NaN : value);
  into.stale.push(stale);
  return timestamp >= 0 && timestamp <= TIMESTAMP_MAX ? null : "time_out_of_range";
}

/** Prometheus's stale marker is the one NaN of these bits, 0x7ff0000000000002; a double's own reading need not keep them. */
function isStaleMarker(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 2 &&
    bytes[at + 7] === 0x7f &&
    bytes[at + 6] === 0xf0 &&
    (bytes[at + 1] | bytes[at + 2] | bytes[at + 3] | bytes[at + 4] | bytes[at + 5]) === 0
  );
}

/** Says whose the rows from `first` on are, or takes them away again. */
export function endSeries(request: DecodedRequest, first: number, owner: KnownSeries | SeriesRefusal): void {
  const { samples, refused } = request;
  const end = samples.timestamps.length;
  if (typeof owner === "string") {
    refused.set(owner, (refused.get(owner) ?? 0) + end - first);
    samples.timestamps.length = samples.values.length = samples.stale.length = first;
  } else {
    for (let row = first; row < end; row++) samples.series.push(owner);
  }
}

/** What the sender is told of what was not written; null where everything was. */
export function shortfall({ refused, histograms, exemplars }: DecodedRequest): string | null {
  const parts = [...refused].map(([reason, samples]) => `${samples} samples: ${seriesRefusals[reason]}`);
  if (histograms > 0) parts.push(`${histograms} native histograms: only float samples are kept`);
  if (exemplars > 0) parts.push(`${exemplars} exemplars: only samples are kept`);
  return parts.length === 0 ? null : `Not written: ${parts.join("; ")}.`;
}
