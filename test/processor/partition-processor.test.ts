import assert from "node:assert/strict";
import { describe, it } from "node:test";
import avro from "avsc";
import fc from "fast-check";
import type { KafkaMessage } from "kafkajs";
import type { OffsetMetadata } from "../../services/processor/partition-owner.js";
import { featureSchemaText } from "../../services/shared/feature-columns.js";
import { createFeatureReader } from "../../services/shared/frame-codec.js";
import type { FeatureFrame, RawFrame } from "../../services/shared/frame.js";
import type { OutgoingMessage } from "../../services/shared/kafka.js";
import { fold, run } from "./emitted-rows.js";
import { START_MS, anyInput, arrivals, frameOf, plan } from "./made-input.js";
import { leftToReplay, texts } from "./same-rows.js";
import { type CommitFate, TOPIC, onePartition } from "./one-partition.js";
import { rawMessage } from "./raw-messages.js";

const seed = 11;

const featureReader = createFeatureReader({
  writerSchema: () =>
    Promise.resolve(avro.Type.forSchema(JSON.parse(featureSchemaText(plan.columns)) as avro.Schema)),
});

async function featuresOf(outputs: readonly OutgoingMessage[]): Promise<FeatureFrame[]> {
  const values = outputs.filter(({ topic }) => topic === "t.metrics.features").map(({ value }) => value);
  await featureReader.prepare(values);
  return values.map((value) => featureReader.read(value));
}

const gauge = (tick: number, value: number, entity = 0) =>
  frameOf({ entity, tick, samples: [{ series: 0, type: "gauge", value, stale: false }] });

function broken(offset: number): KafkaMessage {
  return { ...rawMessage(gauge(0, 0), offset), value: Buffer.from("hello") };
}

/** Each series once a frame: then no frame has cause to say a row twice. */
function withoutRepeats(frames: readonly RawFrame[]): RawFrame[] {
  return frames.map((frame) => {
    const chosen = frame.series.map(
      ({ key }, i) => frame.series.findIndex((other) => other.key === key) === i,
    );
    return {
      ...frame,
      series: frame.series.filter((_, i) => chosen[i]),
      values: frame.values.filter((_, i) => chosen[i]),
      stale: frame.stale.filter((_, i) => chosen[i]),
    };
  });
}

const step = fc.record({
  size: fc.integer({ min: 1, max: 30 }),
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.constant<CommitFate>("done") },
    { weight: 2, arbitrary: fc.constantFrom<CommitFate>("lost", "unanswered") },
  ),
  before: fc.oneof(
    { weight: 6, arbitrary: fc.constant("nothing" as const) },
    { weight: 2, arbitrary: fc.constantFrom("restart" as const, "rebalance" as const) },
  ),
});

describe("createPartitionProcessor", () => {
  it("says every row of every revision once, as in an unbroken run, through restarts, rebalances and lost commits", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyInput,
        fc.infiniteStream(step),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1 }),
        async (seeds, steps, gaps) => {
          const frames = withoutRepeats(arrivals(seeds));
          let next = 0;
          const offsets = frames.map((_, i) => (next += gaps[i % gaps.length]));
          const partition = onePartition(frames.map((frame, i) => rawMessage(frame, offsets[i])));
          for (const { size, fate, before } of steps) {
            if (before !== "nothing") partition[before]();
            if (!(await partition.step(size, fate))) break;
          }

          const { isLeft } = leftToReplay(frames, plan);
          const emitted = await featuresOf(partition.outputs);
          const seen = emitted.flatMap(({ revision, timestamp, series }) =>
            series.map(({ key }) => `${key} ${timestamp} ${revision}`),
          );
          assert.equal(new Set(seen).size, seen.length, "a row was said twice");
          const unbroken = fold((await run(frames, { plan })).emitted);
          const isWhole = (name: string) => !isLeft(name);
          const found = fold(emitted);
          assert.deepEqual(texts(found, isWhole), texts(unbroken, isWhole));
          for (const [name, { revision }] of unbroken) {
            assert.equal(found.get(name)?.revision, offsets[revision], name);
          }
          const clean = partition.outputs.filter(({ topic }) => topic === "t.metrics.clean");
          assert.deepEqual(
            clean.map(({ key, timestamp }) => `${String(key)} ${timestamp}`),
            frames.map(({ entity, timestamp }) => `${entity.key} ${timestamp}`),
          );
          assert.equal(partition.committed()!.offset, String(next + 2), "past the last control record");
        },
      ),
      { seed, numRuns: 60 },
    );
  });

  it("keeps beside the offset the partition's watermark, and where a rebuild begins", async () => {
    const partition = onePartition([0, 1, 2, 100, 101].map((tick, i) => rawMessage(gauge(tick, i), i)));
    while (await partition.step(10));
    const metadata = JSON.parse(partition.committed()!.metadata) as OffsetMetadata;
    assert.deepEqual(metadata, {
      watermark: START_MS + 101_000,
      rewind: { offset: 3, watermark: START_MS + 2_000 },
    });
  });

  it("counts changes of type, and logs the first of a series", async () => {
    const types = ["gauge", "counter", "gauge", "counter"] as const;
    const frames = types.map((type, tick) =>
      frameOf({ entity: 0, tick, samples: [{ series: 0, type, value: tick, stale: false }] }),
    );
    const partition = onePartition(frames.map(rawMessage));
    while (await partition.step(2));
    const counter = partition.registry.getSingleMetric("millrace_processor_type_changes_total")!;
    assert.equal((await counter.get()).values[0].value, 3);
    const told = partition.logged.filter(({ event }) => event === "series.type_changed");
    assert.deepEqual(
      told.map(({ series, timestamp, from, to }) => ({ series, timestamp, from, to })),
      [
        {
          series: frames[0].series[0].key,
          timestamp: START_MS + 1_000,
          from: { type: "gauge", form: "number" },
          to: { type: "counter", form: "number" },
        },
      ],
    );
  });

  it("gives undecodable messages up with their origin, and goes on", async () => {
    const frames = [gauge(0, 1), gauge(1, 2)];
    const partition = onePartition([
      broken(0),
      rawMessage(frames[0], 1),
      broken(2),
      rawMessage(frames[1], 3),
      broken(4),
    ]);
    while (await partition.step(2));
    const letters = partition.outputs.filter(({ topic }) => topic === "t.metrics.dead");
    assert.deepEqual(
      letters.map(({ headers }) => [headers?.["topic"], headers?.["partition"], headers?.["offset"]]),
      ["0", "2", "4"].map((offset) => [TOPIC, "3", offset]),
    );
    assert.ok(letters.every(({ headers }) => headers?.["code"] === "MESSAGE_UNDECODABLE"));
    assert.ok(letters.every(({ value }) => value?.toString() === "hello"));
    assert.equal((await featuresOf(partition.outputs)).length, 2);
  });

  it("has nothing to rebuild where nothing but undecodable messages came, and does not give them up again", async () => {
    const partition = onePartition([broken(0), broken(1), broken(2)]);
    await partition.step(2);
    await partition.step(2);
    partition.restart();
    while (await partition.step(1));
    assert.equal(partition.outputs.length, 3);
  });

  it("rebuilds from the topic's beginning where another tool moved the offset and left no metadata", async () => {
    const frames = Array.from({ length: 20 }, (_, i) => gauge(i, i));
    const partition = onePartition(frames.map(rawMessage));
    while (await partition.step(100));
    const before = await featuresOf(partition.outputs);
    partition.outputs.length = 0;
    partition.moveTo(15);
    partition.restart();
    while (await partition.step(100));
    const again = await featuresOf(partition.outputs);
    assert.deepEqual(texts(fold(again)), texts(fold(before.slice(15))));
  });

  it("rebuilds an entity that lies far behind, as what it was beside the others", async () => {
    const places = [
      [0, 500],
      [1, 0],
      [0, 530],
      [1, 1],
      [0, 560],
      [1, 2],
    ];
    const partition = onePartition(
      places.map(([entity, tick], offset) => rawMessage(gauge(tick, tick, entity), offset)),
    );
    // The first step takes the partition.
    for (let i = 0; i < 6; i++) await partition.step(1);
    partition.restart();
    await partition.step(1);
    assert.equal(partition.position(), 1);
    while (await partition.step(1));
    const { features } = (await featuresOf(partition.outputs)).at(-1)!;
    assert.equal(features[plan.columns.indexOf("mean_10s")], 1, "of 0, 1 and 2");
  });

  it("rebuilds from what the topic still has", async () => {
    const partition = onePartition(Array.from({ length: 20 }, (_, i) => rawMessage(gauge(i, i), i)));
    for (let i = 0; i < 11; i++) await partition.step(1);
    partition.trimTo(8);
    partition.restart();
    await partition.step(1);
    assert.equal(partition.position(), 8);
    while (await partition.step(1));
    const rows = await featuresOf(partition.outputs);
    assert.deepEqual(
      rows.map(({ revision }) => revision),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it("lets a rebalance through, and does not take a partition that is another's", async () => {
    const partition = onePartition([gauge(0, 1), gauge(1, 2)].map(rawMessage));
    partition.loseAtHeartbeat();
    await assert.rejects(partition.step(1), { name: "KafkaJSProtocolError" });
    assert.equal(partition.opened(), 0);
    await partition.step(1);
    assert.equal(partition.opened(), 1);
    partition.loseAtHeartbeat();
    await assert.rejects(partition.step(1), { name: "KafkaJSProtocolError" });
    while (await partition.step(1));
    assert.equal((await featuresOf(partition.outputs)).length, 2);
  });

  it("keeps its state through a rebalance that left the partition here, and forgets it with the partition", async () => {
    const partition = onePartition(Array.from({ length: 9 }, (_, i) => rawMessage(gauge(i, i), i)));
    for (let i = 0; i < 4; i++) await partition.step(1);
    partition.rebalance();
    await partition.step(1);
    assert.deepEqual(partition.position(), 3, "nothing is read again");
    const held = async () =>
      (await partition.registry.getSingleMetric("millrace_processor_series")!.get()).values.length;
    assert.equal(await held(), 1);
    partition.keepOnly([3]);
    assert.equal(await held(), 1);
    partition.keepOnly([1, 2]);
    assert.equal(await held(), 0);
    partition.rebalance();
    await partition.step(1);
    assert.equal(partition.position(), 0, "the state is rebuilt from the input");
  });
});
