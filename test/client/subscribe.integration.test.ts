import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type FeatureFrame, subscribe } from "../../services/client/subscribe.js";
import type { Config } from "../../services/shared/config-schema.js";
import { topicName } from "../../services/shared/topics.js";
import { frameOf } from "../sink/frames.js";
import { testConfig } from "../stack/servers-for-tests.js";
import { type FeatureSender, openFeatureSender } from "./send-features.js";

const START = 1_760_000_000_000;
const features = { feature_engineering: { rolling_windows: [5], percentiles: [50, 99] } };

describe("subscribe", () => {
  let config: Config;
  let sender: FeatureSender;
  before(async () => {
    config = await testConfig({ kafka: { partitions: 2 }, transform: features });
    sender = await openFeatureSender(config);
    await sender.send(
      Array.from({ length: 20 }, (_, i) =>
        frameOf({ columns: sender.columns, entity: i % 4, timestamp: START + i, revision: i, seed: i }),
      ),
    );
  });
  after(() => sender.close());

  const options = (groupId: string) => ({
    brokers: config.kafka.brokers,
    registryUrl: config.registry.url,
    topic: topicName("features", config.kafka.topic_prefix),
    groupId: `${config.kafka.topic_prefix}${groupId}`,
    fromBeginning: true,
  });

  async function take(
    count: number,
    more: Partial<Parameters<typeof subscribe>[0]> & { groupId: string },
  ): Promise<FeatureFrame[]> {
    const taken: FeatureFrame[] = [];
    const ending = new AbortController();
    for await (const frame of subscribe({ ...options(more.groupId), signal: ending.signal, ...more })) {
      taken.push(frame);
      // Asked to end while it is at a frame, the loop has handled that frame.
      if (taken.length === count) ending.abort();
    }
    return taken;
  }

  it("gives each frame once, those of an entity in order, with all of its values", async () => {
    const frames = await take(20, { ...options("all") });
    for (const entity of new Set(frames.map((frame) => frame.entity["instance"]))) {
      const times = frames
        .filter((frame) => frame.entity["instance"] === entity)
        .map(({ timestamp }) => timestamp);
      assert.equal(times.length, 5);
      assert.deepEqual(times, times.toSorted());
    }
    assert.deepEqual(
      frames.map(({ timestamp }) => timestamp).toSorted(),
      Array.from({ length: 20 }, (_, i) => START + i),
    );
    const seventh = frames.find(({ timestamp }) => timestamp === START + 7)!;
    const sent = frameOf({ columns: sender.columns, entity: 3, timestamp: START + 7, seed: 7 });
    assert.deepEqual(
      seventh.rows.map(({ series, value, features }) => ({ series, value, features })),
      sent.series.map(({ key }, row) => ({
        series: key,
        value: sent.values[row],
        features: Object.fromEntries(
          sender.columns.map((column, i) => [column, sent.features[row * sender.columns.length + i]]),
        ),
      })),
    );
    assert.equal(seventh.watermark, START + 7);
    assert.equal(seventh.revision, 7);
  });

  it("goes on where its group had got to", async () => {
    const first = await take(8, { groupId: options("resumed").groupId });
    const rest = await take(12, { groupId: options("resumed").groupId });
    const times = [...first, ...rest].map(({ timestamp }) => timestamp);
    assert.equal(new Set(times).size, 20);
  });

  it("gives only the entities and features that are asked for", async () => {
    const frames = await take(5, {
      groupId: options("chosen").groupId,
      entity: { instance: "10.0.0.2:9100" },
      features: ["p99_5m", "mean_7d"],
    });
    assert.ok(frames.every(({ entity }) => entity["instance"] === "10.0.0.2:9100"));
    const [{ rows }] = frames;
    assert.deepEqual(Object.keys(rows[0].features), ["p99_5m", "mean_7d"]);
    assert.equal(typeof rows[0].features["p99_5m"], "number");
    assert.equal(rows[0].features["mean_7d"], null);
  });

  it("throws what is wrong with a message, and where the topic is missing", async () => {
    const broken = await testConfig({ kafka: { partitions: 1 }, transform: features });
    const other = await openFeatureSender(broken);
    await other.sendBytes("x", Buffer.from("no frame"));
    await other.close();
    const topic = topicName("features", broken.kafka.topic_prefix);
    const groupId = options("broken").groupId;
    await assert.rejects(take(1, { groupId, topic }), { code: "MESSAGE_UNDECODABLE" });
    await assert.rejects(take(1, { groupId, topic: "no.such.topic" }), { code: "KAFKA_TOPIC_MISSING" });
  });
});

describe("the README's examples", () => {
  let config: Config;
  before(async () => {
    // They read the topic as it is named without a prefix.
    config = await testConfig({ kafka: { topic_prefix: "" } });
    const sender = await openFeatureSender(config);
    await sender.send([frameOf({ columns: sender.columns, timestamp: START, seed: 3 })]);
    await sender.close();
  });

  /** The first line that an example prints; it is then ended. */
  async function firstLine(example: string): Promise<string> {
    const file = fileURLToPath(new URL(`${example}.js`, import.meta.url));
    const child = spawn(process.execPath, [file], {
      env: {
        PATH: process.env["PATH"],
        KAFKA: config.kafka.brokers[0],
        REGISTRY: config.registry.url,
        KAFKAJS_NO_PARTITIONER_WARNING: "1",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    try {
      for await (const line of createInterface(child.stdout)) if (line.includes("metric_0")) return line;
      throw new Error(`${example} ended without a row`);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  }

  it("subscribe-example prints the features of each series", async () => {
    const { series, values } = frameOf({ timestamp: START, seed: 3 });
    const line = await firstLine("subscribe-example");
    assert.ok(line.startsWith(`${new Date(START).toISOString()} ${series[0].key} ${values[0]} `), line);
  });

  it("plain-kafka-example prints frames as JSON", async () => {
    const line = await firstLine("plain-kafka-example");
    const { rows } = JSON.parse(line.slice(line.indexOf("{"))) as {
      rows: { metric: string; value: number }[];
    };
    const { values } = frameOf({ timestamp: START, seed: 3 });
    assert.equal(rows[0].value, values[0]);
  });
});
