import assert from "node:assert/strict";
import { describe, it } from "node:test";
import avro from "avsc";
import { from, lastValueFrom, toArray } from "rxjs";
import { encodeClean, encodeFeatures } from "../../../services/processor/operators/encode.js";
import { featureSchemaText } from "../../../services/shared/feature-columns.js";
import { MAX_VALUE_BYTES, createFeatureReader } from "../../../services/shared/frame-codec.js";
import { type FeatureFrame, flagBits } from "../../../services/shared/frame.js";
import { partitionOf } from "../../../services/shared/kafka.js";
import { internSeries } from "../../../services/shared/series.js";
import { schemaText } from "../../../services/shared/topics.js";
import { frameOf } from "../made-input.js";

const frame = frameOf({
  entity: 1,
  tick: 3,
  samples: [
    { series: 0, type: "gauge", value: 1, stale: false },
    { series: 1, type: "counter", value: -2, stale: false },
  ],
});
const partitions = 7;

describe("encodeClean", () => {
  it("writes MetricClean to the entity's partition, at the event's time", async () => {
    const topic = { topic: "c", partitions, schemaId: 3 };
    const clean = { ...frame, original: frame.values, flags: Int32Array.of(0, flagBits.invalid) };
    const [message] = await lastValueFrom(
      from([{ offset: 9, frame: clean }]).pipe(encodeClean(topic), toArray()),
    );
    const { key } = frame.entity;
    assert.equal(message.topic, "c");
    assert.equal(message.key, key);
    assert.equal(message.partition, partitionOf(key, partitions));
    assert.equal(message.timestamp, frame.timestamp);
    const type = avro.Type.forSchema(JSON.parse(schemaText("metrics.clean.avsc")) as avro.Schema);
    const { samples } = type.fromBuffer(message.value!.subarray(5)) as {
      samples: { metric: string; value: number; original: number; flags: number }[];
    };
    assert.deepEqual(
      samples.map(({ metric, value, original, flags }) => [metric, value, original, flags]),
      [
        ["metric_0", 1, 1, 0],
        ["metric_1", -2, -2, 1],
      ],
    );
  });
});

describe("encodeFeatures", () => {
  const columns = ["mean_5m", "rate"];
  const reader = createFeatureReader({
    writerSchema: () =>
      Promise.resolve(avro.Type.forSchema(JSON.parse(featureSchemaText(columns)) as avro.Schema)),
  });
  const featuresOf = (rows: number): FeatureFrame => ({
    entity: frame.entity,
    timestamp: frame.timestamp,
    revision: 4,
    knownAt: frame.ingestedAt,
    retracted: false,
    origin: "live",
    series: Array.from({ length: rows }, (_, row) =>
      internSeries("metric", { ...frame.entity.labels, row: String(row) }, "gauge"),
    ),
    values: Float64Array.from({ length: rows }, (_, row) => row),
    flags: new Int32Array(rows),
    features: Float64Array.from({ length: rows * 2 }, (_, i) => i),
  });

  it("splits a frame that is too large for a message, and says how far the input has come", async () => {
    let watermark = 100;
    const messages = await lastValueFrom(
      from([featuresOf(3), featuresOf(20_000)]).pipe(
        encodeFeatures({ topic: "f", partitions, schemaId: 3 }, 2, () => watermark++),
        toArray(),
      ),
    );
    assert.ok(messages.length > 2);
    assert.ok(messages.every(({ value }) => value!.length <= MAX_VALUE_BYTES));
    assert.ok(messages.every(({ partition }) => partition === partitionOf(frame.entity.key, partitions)));
    assert.ok(messages.every(({ timestamp }) => timestamp === frame.timestamp));
    assert.equal(messages[0].headers?.["watermark"], "100");
    await reader.prepare(messages.map(({ value }) => value));
    const parts = messages.slice(1).map(({ value }) => reader.read(value));
    assert.deepEqual(
      parts.flatMap(({ values }) => [...values]),
      Array.from({ length: 20_000 }, (_, row) => row),
    );
    assert.deepEqual(
      parts.flatMap(({ features }) => [...features]),
      Array.from({ length: 40_000 }, (_, i) => i),
    );
    assert.ok(parts.every(({ revision }) => revision === 4));
  });
});
