import avro from "avsc";
import {
  type Cursor,
  MAX_LONG_BYTES,
  readBlockCount,
  readBoolean,
  readDouble,
  readLong,
  readString,
  readStringMap,
  skipStringMap,
  writeBoolean,
  writeBytes,
  writeDouble,
  writeLong,
  writeString,
} from "./avro-wire.js";
import { MillraceError, asMillraceError } from "./errors.js";
import { featureRowPrefix } from "./feature-columns.js";
import {
  type CleanFrame,
  type Entity,
  type FeatureFrame,
  type RawFrame,
  type Series,
  metricTypes,
  origins,
} from "./frame.js";
import { internEntity, internSeries } from "./series.js";
import { schemaText } from "./topics.js";

/**
 * Frames as Kafka messages in the registry's wire format: 0x00, the schema's id as four bytes big-endian, then Avro.
 * Written and read here by hand since labels are most of the bytes: encodings of known series are copied when writing
 * and compared when reading. The tests hold both directions to avsc.
 */

const HEADER_BYTES = 5;
/** The most bytes a message's value may have: under the broker's default message.max.bytes of 1 MiB, with room to spare. */
export const MAX_VALUE_BYTES = 900_000;

function writeHeader(cursor: Cursor, schemaId: number): void {
  cursor.buffer[0] = 0;
  cursor.buffer.writeUInt32BE(schemaId, 1);
  cursor.position = HEADER_BYTES;
}

function hasHeader(value: Buffer | null): value is Buffer {
  return value !== null && value.length >= HEADER_BYTES && value[0] === 0;
}

/** What a message written with a schema begins with. */
export function wireHeader(schemaId: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(schemaId, 1);
  return header;
}

/** Whether an error of decoding says that a message is none of Millrace's: others may write to its topics. */
export function isForeign(error: unknown): error is MillraceError {
  return (
    error instanceof MillraceError &&
    (error.code === "MESSAGE_UNDECODABLE" || error.code === "SCHEMA_UNKNOWN")
  );
}

/** The id of the schema that a message was written with. Throws MESSAGE_UNDECODABLE. */
export function schemaIdOf(value: Buffer | null): number {
  if (!hasHeader(value)) {
    throw new MillraceError("MESSAGE_UNDECODABLE", "The message does not begin with 0x00 and a schema id.");
  }
  return value.readUInt32BE(1);
}

function fixedSize(entity: Entity, source: string): number {
  // Header, the entity, at most eight longs, the source, the two counts of the array.
  return HEADER_BYTES + entity.encoded.length + 10 * MAX_LONG_BYTES + 3 * Buffer.byteLength(source);
}

function seriesSize(series: readonly Series[], bytesPerSample: number): number {
  let size = 0;
  for (const { encoded } of series) size += encoded.length + bytesPerSample;
  return size;
}

function finish(cursor: Cursor): Buffer {
  return cursor.buffer.subarray(0, cursor.position);
}

export function encodeRawFrame(schemaId: number, frame: RawFrame): Buffer {
  const { entity, series, values, stale } = frame;
  const cursor: Cursor = {
    buffer: Buffer.allocUnsafe(fixedSize(entity, frame.source) + seriesSize(series, 9)),
    position: 0,
  };
  writeHeader(cursor, schemaId);
  writeFrameHead(cursor, frame);
  if (series.length > 0) writeLong(cursor, series.length);
  for (let i = 0; i < series.length; i++) {
    writeBytes(cursor, series[i].encoded);
    writeDouble(cursor, values[i]);
    writeBoolean(cursor, stale[i] === 1);
  }
  writeLong(cursor, 0);
  return finish(cursor);
}

/** `imputation` names the method that filled in the values whose flags say so. */
export function encodeCleanFrame(schemaId: number, frame: CleanFrame): Buffer {
  const { entity, series, values, original, flags } = frame;
  const cursor: Cursor = {
    buffer: Buffer.allocUnsafe(fixedSize(entity, frame.source) + seriesSize(series, 17 + MAX_LONG_BYTES)),
    position: 0,
  };
  writeHeader(cursor, schemaId);
  writeFrameHead(cursor, frame);
  if (series.length > 0) writeLong(cursor, series.length);
  for (let i = 0; i < series.length; i++) {
    writeBytes(cursor, series[i].encoded);
    writeDouble(cursor, values[i]);
    writeDouble(cursor, original[i]);
    writeLong(cursor, flags[i]);
    writeLong(cursor, 0);
  }
  writeLong(cursor, 0);
  return finish(cursor);
}

function writeFrameHead(cursor: Cursor, frame: RawFrame): void {
  writeBytes(cursor, frame.entity.encoded);
  writeLong(cursor, frame.timestamp);
  writeLong(cursor, origins.indexOf(frame.origin));
  writeString(cursor, frame.source);
  writeLong(cursor, frame.ingestedAt);
}

/** `columns` is how many feature columns the schema of this id has; NaN becomes null. */
export function encodeFeatureFrame(schemaId: number, columns: number, frame: FeatureFrame): Buffer {
  const { entity, series, values, flags, features } = frame;
  const bytesPerRow = 8 + MAX_LONG_BYTES + 9 * columns;
  const cursor: Cursor = {
    buffer: Buffer.allocUnsafe(fixedSize(entity, "") + seriesSize(series, bytesPerRow)),
    position: 0,
  };
  writeHeader(cursor, schemaId);
  writeBytes(cursor, entity.encoded);
  writeLong(cursor, frame.timestamp);
  writeLong(cursor, frame.revision);
  writeLong(cursor, frame.knownAt);
  writeBoolean(cursor, frame.retracted);
  writeLong(cursor, origins.indexOf(frame.origin));
  if (series.length > 0) writeLong(cursor, series.length);
  for (let row = 0; row < series.length; row++) {
    writeBytes(cursor, series[row].encoded);
    writeDouble(cursor, values[row]);
    writeLong(cursor, flags[row]);
    const end = (row + 1) * columns;
    for (let i = row * columns; i < end; i++) {
      const feature = features[i];
      if (Number.isNaN(feature)) {
        cursor.buffer[cursor.position++] = 0;
      } else {
        cursor.buffer[cursor.position++] = 2;
        writeDouble(cursor, feature);
      }
    }
  }
  writeLong(cursor, 0);
  return finish(cursor);
}

/** Splits a frame whose encoding would be larger than a message may be into frames of some of its samples each. */
export function splitRawFrame(frame: RawFrame, maxBytes = MAX_VALUE_BYTES): RawFrame[] {
  const room = maxBytes - fixedSize(frame.entity, frame.source);
  return splitBySize(frame.series, 9, room).map(([from, to]) =>
    from === 0 && to === frame.series.length
      ? frame
      : {
          ...frame,
          series: frame.series.slice(from, to),
          values: frame.values.subarray(from, to),
          stale: frame.stale.subarray(from, to),
        },
  );
}

/** The same for a frame of features. */
export function splitFeatureFrame(
  frame: FeatureFrame,
  columns: number,
  maxBytes = MAX_VALUE_BYTES,
): FeatureFrame[] {
  const room = maxBytes - fixedSize(frame.entity, "");
  return splitBySize(frame.series, 8 + MAX_LONG_BYTES + 9 * columns, room).map(([from, to]) =>
    from === 0 && to === frame.series.length
      ? frame
      : {
          ...frame,
          series: frame.series.slice(from, to),
          values: frame.values.subarray(from, to),
          flags: frame.flags.subarray(from, to),
          features: frame.features.subarray(from * columns, to * columns),
        },
  );
}

/** Ranges [from, to) of series that each fit into `room` bytes; a series that alone is too large has a range of its own. */
function splitBySize(series: readonly Series[], bytesPerSample: number, room: number): [number, number][] {
  const ranges: [number, number][] = [];
  let from = 0;
  let used = 0;
  for (let i = 0; i < series.length; i++) {
    const size = series[i].encoded.length + bytesPerSample;
    if (used + size > room && i > from) {
      ranges.push([from, i]);
      from = i;
      used = 0;
    }
    used += size;
  }
  ranges.push([from, series.length]);
  return ranges;
}

/** Finds the schema that a message was written with; schema-registry.ts is the real one. */
export interface WriterSchemas {
  /** Rejects with SCHEMA_UNKNOWN or REGISTRY_UNAVAILABLE. */
  readonly writerSchema: (id: number) => Promise<avro.Type>;
}

/** Reads the messages of one topic. Not shared between topics: it learns the series of each entity by heart. */
export interface FrameReader<Frame> {
  /**
   * Finds the schemas that `read` will meet for the first time; to be awaited once a batch. Rejects with
   * REGISTRY_UNAVAILABLE; a schema that is unknown or not ours is what `read` throws then, message by message.
   */
  readonly prepare: (values: Iterable<Buffer | null>) => Promise<void>;
  /** Throws MESSAGE_UNDECODABLE or SCHEMA_UNKNOWN. */
  readonly read: (value: Buffer | null) => Frame;
}

type Decode<Frame> = (cursor: Cursor) => Frame;

function createReader<Frame>(
  schemas: WriterSchemas,
  compileDecode: (writer: avro.Type, memory: ReaderMemory) => Decode<Frame>,
): FrameReader<Frame> {
  const decoders = new Map<number, Decode<Frame>>();
  const refused = new Map<number, MillraceError>();
  const memory = createReaderMemory();

  // What was refused is asked for again with each batch, since it may have been registered since; until then it stays
  // refused, for a batch of another partition that is being read meanwhile.
  const prepareSchema = async (id: number) => {
    try {
      decoders.set(id, compileDecode(await schemas.writerSchema(id), memory));
      refused.delete(id);
    } catch (thrown) {
      if (!isForeign(thrown)) throw asMillraceError(thrown);
      refused.set(id, thrown);
    }
  };

  return {
    prepare: async (values) => {
      const missing = new Set<number>();
      for (const value of values) {
        if (!hasHeader(value)) continue;
        const id = value.readUInt32BE(1);
        if (!decoders.has(id)) missing.add(id);
      }
      for (const id of missing) await prepareSchema(id);
    },
    read: (value) => {
      const id = schemaIdOf(value);
      const decode = decoders.get(id);
      if (decode === undefined || value === null) {
        throw (
          refused.get(id) ?? new MillraceError("INTERNAL", `Schema ${id} was not prepared before reading.`)
        );
      }
      const cursor: Cursor = { buffer: value, position: HEADER_BYTES };
      try {
        const frame = decode(cursor);
        if (cursor.position !== value.length) throw new RangeError("bytes are left over");
        return frame;
      } catch (error) {
        if (error instanceof MillraceError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new MillraceError("MESSAGE_UNDECODABLE", `The message does not fit its schema: ${reason}.`, {
          cause: error,
        });
      }
    },
  };
}

/** What a reader remembers: the series of the last frame of each entity, since the next one mostly has the same. */
interface ReaderMemory {
  readonly entity: (cursor: Cursor) => EntityMemory;
  readonly series: (cursor: Cursor, memory: EntityMemory, index: number) => Series;
}

interface EntityMemory {
  readonly entity: Entity;
  readonly lastSeries: Series[];
}

/** Entities beyond this many are forgotten, oldest first: reading them costs more then, and nothing else changes. */
const MAX_REMEMBERED_ENTITIES = 100_000;

function createReaderMemory(): ReaderMemory {
  const entities = new Map<string, EntityMemory>();
  return {
    entity: (cursor) => {
      const start = cursor.position;
      skipStringMap(cursor);
      const bytes = cursor.buffer.toString("latin1", start, cursor.position);
      let memory = entities.get(bytes);
      if (memory === undefined) {
        cursor.position = start;
        memory = { entity: internEntity(readStringMap(cursor)), lastSeries: [] };
        if (entities.size >= MAX_REMEMBERED_ENTITIES) entities.delete(entities.keys().next().value!);
        entities.set(bytes, memory);
      }
      return memory;
    },
    series: (cursor, memory, index) => {
      const { buffer, position } = cursor;
      const { lastSeries } = memory;
      if (index < lastSeries.length) {
        const { encoded } = lastSeries[index];
        const end = position + encoded.length;
        if (end <= buffer.length && encoded.compare(buffer, position, end) === 0) {
          cursor.position = end;
          return lastSeries[index];
        }
      }
      const metric = readString(cursor);
      const labels = readStringMap(cursor);
      const series = internSeries(metric, labels, symbol(metricTypes, readLong(cursor)));
      lastSeries[index] = series;
      return series;
    },
  };
}

function symbol<Symbols extends readonly string[]>(symbols: Symbols, index: number): Symbols[number] {
  if (index < 0 || index >= symbols.length)
    throw new RangeError(`${index} is no index of ${symbols.join(", ")}`);
  return symbols[index];
}

interface RawMessage {
  entity: Record<string, string>;
  timestamp: number;
  origin: RawFrame["origin"];
  source: string;
  ingestedAt: number;
  samples: {
    metric: string;
    labels: Record<string, string>;
    type: Series["type"];
    value: number;
    stale: boolean;
  }[];
}

export function createRawReader(schemas: WriterSchemas): FrameReader<RawFrame> {
  const ours = avro.Type.forSchema(JSON.parse(schemaText("metrics.raw.avsc")) as avro.Schema);
  return createReader(schemas, (writer, memory) => {
    if (sameLayout(writer, ours)) return (cursor) => decodeRaw(cursor, memory);
    // Another version of the schema: Avro's own resolution, slower.
    const resolver = resolverFor(ours, writer);
    return (cursor) => {
      const decoded: { value: RawMessage; offset: number } = ours.decode(
        cursor.buffer,
        cursor.position,
        resolver,
      );
      const { value, offset } = decoded;
      if (offset < 0) throw new RangeError("the message ends too early");
      cursor.position = offset;
      const { samples, ...head } = value;
      return {
        ...head,
        entity: internEntity(value.entity),
        series: samples.map(({ metric, labels, type }) => internSeries(metric, labels, type)),
        values: Float64Array.from(samples, (sample) => sample.value),
        stale: Uint8Array.from(samples, (sample) => (sample.stale ? 1 : 0)),
      };
    };
  });
}

/** Whether two schemas encode alike: names, order and types of all fields, whatever their docs and defaults. */
function sameLayout(a: avro.Type, b: avro.Type): boolean {
  return a.equals(b);
}

function resolverFor(reader: avro.Type, writer: avro.Type) {
  try {
    return reader.createResolver(writer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError(
      "MESSAGE_UNDECODABLE",
      `The message's schema cannot be read as ours: ${reason}.`,
      { cause: error },
    );
  }
}

function decodeRaw(cursor: Cursor, memory: ReaderMemory): RawFrame {
  const known = memory.entity(cursor);
  const timestamp = readLong(cursor);
  const origin = symbol(origins, readLong(cursor));
  const source = readString(cursor);
  const ingestedAt = readLong(cursor);
  const series: Series[] = [];
  let values = new Float64Array(0);
  let stale = new Uint8Array(0);
  for (let count = readCount(cursor, 12); count > 0; count = readCount(cursor, 12)) {
    const first = series.length;
    values = grown(values, first + count);
    stale = grownBytes(stale, first + count);
    for (let i = first; i < first + count; i++) {
      series.push(memory.series(cursor, known, i));
      values[i] = readDouble(cursor);
      stale[i] = readBoolean(cursor) ? 1 : 0;
    }
  }
  known.lastSeries.length = Math.min(known.lastSeries.length, series.length);
  return { entity: known.entity, timestamp, origin, source, ingestedAt, series, values, stale };
}

/** The count of a block, refused where so many items of the least size cannot be there: a broken count takes no memory. */
function readCount(cursor: Cursor, leastBytes: number): number {
  const count = readBlockCount(cursor);
  if (count * leastBytes > cursor.buffer.length - cursor.position)
    throw new RangeError("the message ends too early");
  return count;
}

function grown(column: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(column);
  return larger;
}

function grownBytes(column: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(column);
  return larger;
}

/** A frame of features with the names of its columns, which the writer's schema says. */
export interface ReadFeatureFrame extends FeatureFrame {
  columns: readonly string[];
}

/** Reads MetricFeatures of any configuration: the columns are those of the writer's schema. */
export function createFeatureReader(schemas: WriterSchemas): FrameReader<ReadFeatureFrame> {
  return createReader(schemas, (writer, memory) => {
    const columns = featureColumnsOf(writer);
    return (cursor) => decodeFeatures(cursor, memory, columns);
  });
}

/** The feature columns of a MetricFeatures schema. Throws MESSAGE_UNDECODABLE where it is none of Millrace's. */
export function featureColumnsOf(writer: avro.Type): readonly string[] {
  const refuse = (): never => {
    throw new MillraceError(
      "MESSAGE_UNDECODABLE",
      "The message's schema is no MetricFeatures schema of Millrace.",
    );
  };
  const { name, fields } = JSON.parse(JSON.stringify(writer)) as RecordSchema;
  const expected = ["entity", "timestamp", "revision", "knownAt", "retracted", "origin", "rows"];
  if (name !== "millrace.MetricFeatures" || fields?.map((field) => field.name).join() !== expected.join())
    return refuse();
  const rows = fields[6].type as { items: RecordSchema };
  const columns = (rows.items.fields ?? []).map((field) => field.name);
  if (columns.splice(0, featureRowPrefix.length).join() !== featureRowPrefix.join()) return refuse();
  return columns;
}

interface RecordSchema {
  name?: string;
  fields?: { name: string; type: unknown }[];
}

function decodeFeatures(cursor: Cursor, memory: ReaderMemory, columns: readonly string[]): ReadFeatureFrame {
  const known = memory.entity(cursor);
  const timestamp = readLong(cursor);
  const revision = readLong(cursor);
  const knownAt = readLong(cursor);
  const retracted = readBoolean(cursor);
  const origin = symbol(origins, readLong(cursor));
  const width = columns.length;
  const series: Series[] = [];
  let values = new Float64Array(0);
  let flags = new Int32Array(0);
  let features = new Float64Array(0);
  const leastBytes = 12 + width;
  for (let count = readCount(cursor, leastBytes); count > 0; count = readCount(cursor, leastBytes)) {
    const first = series.length;
    values = grown(values, first + count);
    features = grown(features, (first + count) * width);
    const flagsBefore = flags;
    flags = new Int32Array(first + count);
    flags.set(flagsBefore);
    for (let row = first; row < first + count; row++) {
      series.push(memory.series(cursor, known, row));
      values[row] = readDouble(cursor);
      flags[row] = readLong(cursor);
      for (let i = row * width; i < (row + 1) * width; i++) {
        const branch = cursor.buffer[cursor.position++];
        if (branch === 2) features[i] = readDouble(cursor);
        else if (branch === 0) features[i] = NaN;
        else throw new RangeError(`${branch} is no branch of null and double`);
      }
    }
  }
  known.lastSeries.length = Math.min(known.lastSeries.length, series.length);
  return {
    entity: known.entity,
    timestamp,
    revision,
    knownAt,
    retracted,
    origin,
    series,
    values,
    flags,
    features,
    columns,
  };
}
