import assert from "node:assert/strict";
import { describe, it } from "node:test";
import avro from "avsc";
import fc from "fast-check";
import {
  type Cursor,
  encodeStringMap,
  readLong,
  readStringMap,
  writeLong,
} from "../../services/shared/avro-wire.js";
import { MillraceError } from "../../services/shared/errors.js";
import { featureSchemaText } from "../../services/shared/feature-columns.js";
import {
  type CleanFrame,
  type FeatureFrame,
  type RawFrame,
  metricTypes,
  origins,
} from "../../services/shared/frame.js";
import {
  createFeatureReader,
  createRawReader,
  encodeCleanFrame,
  encodeFeatureFrame,
  encodeRawFrame,
  schemaIdOf,
  splitRawFrame,
} from "../../services/shared/frame-codec.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { schemaText } from "../../services/shared/topics.js";

const parse = (text: string) => avro.Type.forSchema(JSON.parse(text) as avro.Schema);
const rawType = parse(schemaText("metrics.raw.avsc"));
const cleanType = parse(schemaText("metrics.clean.avsc"));
const columns = ["mean_5m", "p99_9_1h", "rate"];
const featureType = parse(featureSchemaText(columns));
const schemas = {
  writerSchema: (id: number) => {
    const type = new Map([
      [7, rawType],
      [9, featureType],
    ]).get(id);
    return type === undefined
      ? Promise.reject(new MillraceError("SCHEMA_UNKNOWN", `No schema ${id}.`))
      : Promise.resolve(type);
  },
};

const labelValue = fc.string({ unit: "binary", maxLength: 40 });
// No name begins with two underscores: Prometheus keeps those to itself.
const labels = fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,11}$/), labelValue, { maxKeys: 8 });
const number = fc.oneof(fc.double(), fc.constantFrom(NaN, -0, Infinity, -Infinity, 5e-324, 1e308));
const time = fc.integer({ min: 0, max: 8.64e15 });
const sample = fc.record({
  series: fc
    .tuple(fc.stringMatching(/^[a-z_:]{1,20}$/), labels, fc.constantFrom(...metricTypes))
    .map(([metric, set, type]) => internSeries(metric, set, type)),
  value: number,
  stale: fc.boolean(),
});

const rawFrame = fc
  .record({
    entity: labels.map(internEntity),
    timestamp: time,
    origin: fc.constantFrom(...origins),
    source: fc.string({ unit: "binary", maxLength: 30 }),
    ingestedAt: time,
    samples: fc.array(sample, { maxLength: 12 }),
  })
  .map(({ samples, ...head }): RawFrame => ({
    ...head,
    series: samples.map(({ series }) => series),
    values: Float64Array.from(samples, ({ value }) => value),
    stale: Uint8Array.from(samples, ({ stale }) => Number(stale)),
  }));

describe("avro-wire", () => {
  it("writes and reads longs as avsc does, over the whole range of safe integers", () => {
    const long = parse('"long"');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeInteger(),
          fc.integer(),
          fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53, 2 ** 30, -(2 ** 30), 64, -65),
        ),
        (value) => {
          const cursor: Cursor = { buffer: Buffer.alloc(10), position: 0 };
          writeLong(cursor, value);
          const written = cursor.buffer.subarray(0, cursor.position);
          // avsc itself is exact only up to 2^52.
          if (Math.abs(value) < 2 ** 52) assert.deepEqual(written, long.toBuffer(value));
          assert.equal(readLong({ buffer: written, position: 0 }), value);
        },
      ),
    );
  });

  it("writes and reads maps of strings as avsc does", () => {
    const map = parse('{"type":"map","values":"string"}');
    fc.assert(
      fc.property(labels, (value) => {
        const encoded = encodeStringMap(value);
        assert.deepEqual(encoded, map.toBuffer(value));
        assert.deepEqual({ ...readStringMap({ buffer: encoded, position: 0 }) }, { ...value });
      }),
    );
  });
});

describe("frame-codec", () => {
  it("encodes raw frames exactly as avsc does, and reads them back", async () => {
    const reader = createRawReader(schemas);
    await fc.assert(
      fc.asyncProperty(rawFrame, async (frame) => {
        const value = encodeRawFrame(7, frame);
        assert.equal(schemaIdOf(value), 7);
        assert.deepEqual(
          value.subarray(5),
          rawType.toBuffer({
            ...frame,
            entity: frame.entity.labels,
            samples: frame.series.map(({ metric, labels: set, type }, i) => ({
              metric,
              labels: set,
              type,
              value: frame.values[i],
              stale: frame.stale[i] === 1,
            })),
          }),
        );
        await reader.prepare([value]);
        const read = reader.read(value);
        assert.deepEqual(read, frame);
        read.series.forEach((series, i) => assert.equal(series, frame.series[i], "interned"));
      }),
    );
  });

  it("encodes clean frames exactly as avsc does", () => {
    fc.assert(
      fc.property(rawFrame, (raw) => {
        const frame: CleanFrame = {
          ...raw,
          original: raw.values.map((value) => value + 1),
          flags: Int32Array.from(raw.values, (_, i) => i * 5),
        };
        const avscBytes = cleanType.toBuffer({
          ...frame,
          entity: frame.entity.labels,
          samples: frame.series.map(({ metric, labels: set, type }, i) => ({
            metric,
            labels: set,
            type,
            value: frame.values[i],
            original: frame.original[i],
            flags: frame.flags[i],
            imputation: null,
          })),
        });
        assert.deepEqual(encodeCleanFrame(7, frame).subarray(5), avscBytes);
      }),
    );
  });

  it("encodes frames of features exactly as avsc does, NaN as null, and reads them with their column names", async () => {
    const reader = createFeatureReader(schemas);
    await fc.assert(
      fc.asyncProperty(
        rawFrame,
        fc.array(number, { minLength: 36, maxLength: 36 }),
        fc.nat(),
        async (raw, pool, revision) => {
          const { entity, timestamp, origin, series, values } = raw;
          const frame: FeatureFrame = {
            entity,
            timestamp,
            revision,
            knownAt: raw.ingestedAt,
            retracted: revision % 2 === 1,
            origin,
            series,
            values,
            flags: Int32Array.from(values, (_, i) => i),
            features: Float64Array.from(pool.slice(0, series.length * columns.length)),
          };
          const nullable = (value: number) => (Number.isNaN(value) ? null : { double: value });
          const value = encodeFeatureFrame(9, columns.length, frame);
          const avscBytes = featureType.toBuffer({
            ...frame,
            entity: entity.labels,
            rows: series.map(({ metric, labels: set, type }, row) => ({
              metric,
              labels: set,
              type,
              value: values[row],
              flags: frame.flags[row],
              ...Object.fromEntries(
                columns.map((column, i) => {
                  const wrapped = nullable(frame.features[row * columns.length + i]);
                  return [column, wrapped === null ? null : wrapped.double];
                }),
              ),
            })),
          });
          assert.deepEqual(value.subarray(5), avscBytes);
          await reader.prepare([value]);
          assert.deepEqual(reader.read(value), { ...frame, columns });
        },
      ),
    );
  });

  it("reads raw frames of another version of the schema by Avro's resolution", async () => {
    const other = JSON.parse(schemaText("metrics.raw.avsc")) as { fields: object[] };
    other.fields.push({ name: "note", type: "string", default: "" });
    const otherType = avro.Type.forSchema(other as unknown as avro.Schema);
    const reader = createRawReader({ writerSchema: () => Promise.resolve(otherType) });
    const sampleOf = { metric: "up", labels: { job: "a" }, type: "gauge", value: 1, stale: false };
    const message = {
      entity: { job: "a" },
      timestamp: 5,
      origin: "live",
      source: "p",
      ingestedAt: 6,
      samples: [sampleOf],
      note: "n",
    };
    const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), otherType.toBuffer(message)]);
    await reader.prepare([value]);
    const frame = reader.read(value);
    assert.equal(frame.timestamp, 5);
    assert.equal(frame.series[0], internSeries("up", { job: "a" }, "gauge"));
    assert.deepEqual([...frame.values], [1]);
  });

  it("refuses cut, lengthened and foreign bytes with MESSAGE_UNDECODABLE, whatever they are", async () => {
    const reader = createRawReader(schemas);
    const isUndecodable = (error: unknown) =>
      error instanceof MillraceError && error.code === "MESSAGE_UNDECODABLE";
    await reader.prepare([Buffer.from([0, 0, 0, 0, 7])]);
    fc.assert(
      fc.property(rawFrame, fc.nat(), (frame, at) => {
        const value = encodeRawFrame(7, frame);
        assert.throws(() => reader.read(value.subarray(0, 5 + (at % (value.length - 5)))), isUndecodable);
        assert.throws(() => reader.read(Buffer.concat([value, Buffer.from([1])])), isUndecodable);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), bytes]);
        try {
          reader.read(value);
        } catch (error) {
          assert.ok(isUndecodable(error), String(error));
        }
      }),
    );
    assert.throws(() => reader.read(null), isUndecodable);
    assert.throws(() => reader.read(Buffer.from("plain text")), isUndecodable);
  });

  it("throws SCHEMA_UNKNOWN for messages of a schema that the registry does not have", async () => {
    const reader = createRawReader(schemas);
    const value = Buffer.from([0, 0, 0, 0, 99, 0]);
    await reader.prepare([value]);
    assert.throws(
      () => reader.read(value),
      (error) => error instanceof MillraceError && error.code === "SCHEMA_UNKNOWN",
    );
  });

  it("splits a frame into messages that fit, without losing or reordering samples", () => {
    fc.assert(
      fc.property(rawFrame, fc.integer({ min: 300, max: 2000 }), (frame, maxBytes) => {
        const parts = splitRawFrame(frame, maxBytes);
        assert.deepEqual(
          parts.flatMap(({ series }) => series),
          frame.series,
        );
        assert.deepEqual(
          parts.flatMap(({ values }) => [...values]),
          [...frame.values],
        );
        for (const part of parts) {
          if (part.series.length > 1) assert.ok(encodeRawFrame(7, part).length <= maxBytes);
        }
      }),
    );
  });
});
