import assert from "node:assert/strict";
import { type Server, connect, createServer } from "node:net";
import { describe, it } from "node:test";
import { featurePlan } from "../../services/processor/feature-plan.js";
import type { OffsetMetadata } from "../../services/processor/partition-owner.js";
import { sampleFlags } from "../../services/processor/operators/validate.js";
import type { Config } from "../../services/shared/config-schema.js";
import { createFeatureReader, schemaIdOf, wireHeader } from "../../services/shared/frame-codec.js";
import { type RawFrame, flagBits } from "../../services/shared/frame.js";
import { createKafka, partitionOf, withAdmin } from "../../services/shared/kafka.js";
import { connectSchemas } from "../../services/shared/schema-registry.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { topicName } from "../../services/shared/topics.js";
import { freePorts, testConfigFile } from "../stack/servers-for-tests.js";
import { fold } from "./emitted-rows.js";
import { LATENESS_TICKS, plan, planText, twoColumns } from "./made-input.js";
import { naiveRows } from "./naive-features.js";
import {
  framesOf,
  messagesOf,
  openRawTopic,
  startProcessorProcess,
  untilProcessed,
  waitFor,
} from "./processor-on-kafka.js";
import { texts } from "./same-rows.js";
import { seededFrames } from "./seeded-frames.js";

const LIMIT_MS = 30_000;
const UNKNOWN_SCHEMA_ID = 4_000_000;

/** Some minutes of frames of a few entities, some of them late, in the order in which they come. */
function someFrames(ticks: number): RawFrame[] {
  // Of late, or Kafka's retention would take the messages away.
  const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
  const input = seededFrames({
    seed: 4,
    startMs,
    entities: 6,
    lateShare: 0.1,
    delayTicksMax: LATENESS_TICKS,
  });
  return Array.from({ length: ticks }, () => input.next().value).flat();
}

/** Runs one processor over what `send` brings to metrics.raw, until it has committed all of it. */
async function processed(
  overrides: Record<string, unknown>,
  send: (raw: Awaited<ReturnType<typeof openRawTopic>>) => Promise<void>,
) {
  const { config, file } = await testConfigFile({ ...planText, ...overrides });
  const raw = await openRawTopic(config);
  const processor = startProcessorProcess(file);
  try {
    await send(raw);
    await untilProcessed(config, raw.sent, LIMIT_MS);
    assert.equal(await processor.end("SIGTERM"), 0);
  } finally {
    await processor.end("SIGKILL");
    await raw.close();
  }
  return { config, sent: raw.sent, log: processor.log };
}

async function committedOffsets(config: Config) {
  const { topic_prefix: prefix } = config.kafka;
  const topic = topicName("raw", prefix);
  return withAdmin(createKafka(config, "test", createLogger("test", "silent")), async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({
      groupId: `${prefix}millrace.processor`,
      topics: [topic],
    });
    return new Map(partitions.map(({ partition, offset, metadata }) => [partition, { offset, metadata }]));
  });
}

/** What stands in metrics.features, folded, is what is computed from scratch; offsets and watermarks are committed. */
async function assertGolden(
  config: Config,
  sent: readonly (readonly (RawFrame | null)[])[],
  as = plan,
): Promise<void> {
  const frames = sent.flat().filter((frame) => frame !== null);
  const emitted = await framesOf(config, "features", createFeatureReader);
  assert.deepEqual(texts(fold(emitted)), texts(naiveRows(frames, as, true)));
  for (const { entity, partition } of emitted)
    assert.equal(partition, partitionOf(entity.key, config.kafka.partitions));

  const committed = await committedOffsets(config);
  sent.forEach((messages, partition) => {
    if (messages.length === 0) return;
    const { offset, metadata } = committed.get(partition)!;
    assert.equal(offset, String(messages.length));
    const times = messages.filter((frame) => frame !== null).map(({ timestamp }) => timestamp);
    const { watermark } = JSON.parse(metadata ?? "") as OffsetMetadata;
    assert.equal(watermark, times.length === 0 ? null : Math.max(...times));
  });
}

describe("millrace processor", () => {
  it("makes of frames the features that are computed from scratch, and gives up what is no frame", async () => {
    const frames = someFrames(90);
    const unknown = Buffer.concat([wireHeader(UNKNOWN_SCHEMA_ID), Buffer.from([1, 2, 3])]);
    const { config, sent } = await processed({}, async (raw) => {
      await raw.sendFrames(frames.slice(0, 200));
      await raw.sendBytes(1, "some key", unknown, frames[0].timestamp);
      await raw.sendBytes(1, "another key", Buffer.from("hello"), frames[0].timestamp);
      await raw.sendFrames(frames.slice(200));
    });
    await assertGolden(config, sent);

    const letters = await messagesOf(config, "dead");
    const place = (code: string, offset: number, schemaId: string) => ({
      topic: topicName("raw", config.kafka.topic_prefix),
      partition: "1",
      offset: String(offset),
      timestamp: String(frames[0].timestamp),
      schema_id: schemaId,
      stage: "processor",
      code,
    });
    const first = sent[1].indexOf(null);
    assert.deepEqual(
      letters.map(({ headers }) => {
        const { message, ...others } = Object.fromEntries(
          Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]),
        );
        assert.ok(message.length > 10);
        return others;
      }),
      [
        place("SCHEMA_UNKNOWN", first, String(UNKNOWN_SCHEMA_ID)),
        place("MESSAGE_UNDECODABLE", first + 1, ""),
      ],
    );
    assert.deepEqual(
      letters.map(({ key, value }) => [String(key), value?.toString("latin1")]),
      [
        ["some key", unknown.toString("latin1")],
        ["another key", "hello"],
      ],
    );
  });

  it("passes every frame on to metrics.clean, in its order, with what is to be said of its samples", async () => {
    const { config, sent } = await processed({}, (raw) => raw.sendFrames(someFrames(20)));
    const clean = await messagesOf(config, "clean");
    const { writerSchema } = connectSchemas(config);
    const type = await writerSchema(schemaIdOf(clean[0].value));
    const found = clean.map(({ value, partition, key, timestamp }) => {
      const frame = type.fromBuffer(value!.subarray(5)) as {
        timestamp: number;
        samples: { value: number; original: number; flags: number }[];
      };
      assert.equal(timestamp, String(frame.timestamp));
      const samples = frame.samples.map(
        ({ value: after, original, flags }) => `${after} ${original} ${flags}`,
      );
      return `${partition} ${String(key)} ${frame.timestamp} ${samples.join()}`;
    });
    const wanted = sent.flatMap((frames, partition) =>
      frames.map((frame) => {
        const { entity, timestamp, series, values, stale } = frame!;
        const samples = series.map(({ type: of }, i) => {
          const flags = stale[i] === 1 ? flagBits.stale : sampleFlags(values[i], of);
          return `${values[i]} ${values[i]} ${flags}`;
        });
        return `${partition} ${entity.key} ${timestamp} ${samples.join()}`;
      }),
    );
    assert.deepEqual([...found].sort(), [...wanted].sort());
    const ofPartition = (all: readonly string[]) => all.filter((text) => text.startsWith("1 "));
    assert.deepEqual(ofPartition(found), ofPartition(wanted));
  });

  it("says the same where delivery is at least once, and a model fills gaps", async () => {
    const imputation = {
      method: "onnx",
      model_path: twoColumns,
      model_columns: ["requests_total", "temperature"],
      interval: "1s",
      max_gap_minutes: 0.1,
      window: "10s",
    };
    const transform = { ...planText.transform, imputation };
    const overrides = { kafka: { delivery: "at_least_once" }, transform };
    const { config, sent } = await processed(overrides, async (raw) => {
      const frames = someFrames(40);
      await raw.sendFrames(frames.slice(0, 100));
      await raw.sendFrames(frames.slice(100));
    });
    await assertGolden(config, sent, featurePlan(config));
  });

  it("waits for a registry that is down, says so, and goes on when it comes", async () => {
    const [port, telemetry] = await freePorts(2);
    const { config: real } = await testConfigFile();
    const url = new URL(real.registry.url);
    const { port: realPort, hostname } = url;
    url.port = String(port);
    const { config, file } = await testConfigFile({
      ...planText,
      registry: { url: String(url) },
      telemetry: { ports: { processor: telemetry } },
    });
    const raw = await openRawTopic({ ...config, registry: real.registry });
    const processor = startProcessorProcess(file);
    let proxy: Server | undefined;
    try {
      await raw.sendFrames(someFrames(10));
      const readiness = () => readinessAt(telemetry);
      await waitFor(
        "readiness tells of the registry",
        readiness,
        ({ status, reasons }) =>
          status === 503 && (reasons["registry"] ?? "").startsWith("REGISTRY_UNAVAILABLE"),
        LIMIT_MS,
      );
      proxy = createServer((client) => {
        const server = connect(Number(realPort), hostname);
        client.on("error", () => server.destroy()).pipe(server);
        server.on("error", () => client.destroy()).pipe(client);
      });
      proxy.listen(port, "127.0.0.1");
      await waitFor("the processor is ready", readiness, ({ status }) => status === 200, LIMIT_MS);
      await untilProcessed(config, raw.sent, LIMIT_MS);
      assert.equal(await processor.end("SIGTERM"), 0);
      const events = processor.log.map(({ event }) => event);
      assert.ok(events.indexOf("registry.failed") < events.indexOf("registry.recovered"), events.join());
      await assertGolden({ ...config, registry: real.registry }, raw.sent);
    } finally {
      await processor.end("SIGKILL");
      proxy?.close();
      await raw.close();
    }
  });
});

interface Readiness {
  status: number;
  reasons: Record<string, string | undefined>;
}

async function readinessAt(port: number): Promise<Readiness> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    const { reasons } = (await response.json()) as Omit<Readiness, "status">;
    return { status: response.status, reasons };
  } catch {
    // It does not listen yet.
    return { status: 0, reasons: {} };
  }
}
