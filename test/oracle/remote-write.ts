/** One series: its labels, and samples with timestamps in milliseconds, ascending. */
export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** 1 where the sample is a stale marker, whatever its value. */
  readonly stale?: Uint8Array;
}

/** Prometheus's stale marker: a NaN of these bits. */
const STALE_BITS = 0x7ff0000000000002n;

/**
 * The body of a Prometheus remote write request (1.0): a WriteRequest of protobuf in snappy's block format, of the
 * samples at fromMs ≤ t < toMs.
 */
export function writeRequest(series: readonly WrittenSeries[], fromMs: number, toMs: number): Buffer {
  return snappyLiteral(Buffer.concat(series.map((one) => field(1, timeSeries(one, fromMs, toMs)))));
}

function timeSeries(
  { labels, timestamps, values, stale }: WrittenSeries,
  fromMs: number,
  toMs: number,
): Buffer {
  const parts = Object.entries(labels)
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) =>
      field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
    );
  for (const [i, ms] of timestamps.entries()) {
    if (ms < fromMs || ms >= toMs) continue;
    const bits = Buffer.alloc(8);
    if (stale?.[i] === 1) bits.writeBigUInt64LE(STALE_BITS);
    else bits.writeDoubleLE(values[i]);
    // Field 1 as a double, field 2 as a varint.
    parts.push(field(2, Buffer.concat([Buffer.of(0x09), bits, Buffer.of(0x10), varint(ms)])));
  }
  return Buffer.concat(parts);
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** Not compressed: one literal with four bytes of length. */
function snappyLiteral(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Math.max(0, content.length - 1));
  return Buffer.concat([varint(content.length), Buffer.of(63 << 2), length, content]);
}
