import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type CommitQueue, createCommitQueue } from "../../../services/poller/remote-write/commit-queue.js";
import { commitRequests } from "../../../services/poller/remote-write/commit-requests.js";
import { decodeWriteRequest } from "../../../services/poller/remote-write/decode-write-request.js";
import { createSeriesMemory } from "../../../services/poller/remote-write/known-series.js";
import { createPushedTypes } from "../../../services/poller/remote-write/metadata-types.js";
import { createIdentify } from "../../../services/poller/remote-write/series-identity.js";
import type { Config } from "../../../services/shared/config-schema.js";
import { createRawReader } from "../../../services/shared/frame-codec.js";
import { createKafka, openTransactionalProducer } from "../../../services/shared/kafka.js";
import { createOutage } from "../../../services/shared/outage.js";
import { connectSchemas } from "../../../services/shared/schema-registry.js";
import { createLogger } from "../../../services/shared/telemetry.js";
import { schemaText, topics } from "../../../services/shared/topics.js";
import { type Flow, openFlow, readiness, untilReady } from "../../flow/running-services.js";
import { readFrames } from "../../flow/topic-frames.js";
import { waitFor } from "../../flow/wait-for.js";
import { freePorts, testConfig } from "../../stack/servers-for-tests.js";
import { sendBody } from "./test-receiver.js";
import { compressed, writeRequest1 } from "./write-messages.js";

const silent = createLogger("test", "silent");

/** `metric:type@timestamp=value` of all samples in metrics.raw, sorted. */
async function rawSamples(config: Config): Promise<string[]> {
  const samples: string[] = [];
  await readFrames(config, "raw", createRawReader, ({ timestamp, series, values, stale }) => {
    series.forEach(({ metric, type }, i) =>
      samples.push(`${metric}:${type}@${timestamp}=${stale[i] === 1 ? "stale" : values[i]}`),
    );
  });
  return samples.sort();
}

function message(metric: string, timestamps: readonly number[]) {
  const samples = timestamps.map((timestamp) => ({ timestamp, value: timestamp / 2 }));
  const labels = Object.entries({ __name__: metric, job: "a", instance: metric });
  return [{ labels, samples: [...samples, { timestamp: 9_000, value: "stale" as const }] }];
}

describe("the receiver as a service", () => {
  let flow: Flow;
  let port: number;

  before(async () => {
    [port] = await freePorts(1);
    flow = await openFlow({ extract: { jobs: {}, remote_write: { enabled: true, port } } });
  });
  after(() => flow.close());

  it("writes once what comes again after it was killed, with the types that it was told before", async () => {
    const body = compressed(writeRequest1(message("load", [1_000, 2_000])));
    const metadata = compressed(writeRequest1([], { load: 2 }));
    const first = flow.start("poller");
    await untilReady(flow, ["poller"]);
    assert.equal((await sendBody(port, metadata)).status, 204);
    assert.equal((await sendBody(port, body)).status, 204);
    const before = ["load:gauge@1000=500", "load:gauge@2000=1000", "load:gauge@9000=stale"];
    assert.deepEqual(await rawSamples(flow.config), before);
    await first.kill();

    const second = flow.start("poller");
    const { status, headers } = await waitFor(
      "the receiver listens again",
      () => sendBody(port, body).catch(() => null),
      (answer) => answer !== null,
    ).then((answer) => answer!);
    assert.deepEqual([status, headers["x-prometheus-remote-write-samples-written"]], [204, "3"]);
    const later = compressed(writeRequest1(message("load", [1_000, 3_000])));
    assert.equal((await sendBody(port, later)).status, 204);
    assert.deepEqual(await rawSamples(flow.config), [...before, "load:gauge@3000=1500"].toSorted());
    assert.equal((await second.stop()).exitCode, 0);
  });

  it("refuses to start twice at one port, and says so", async () => {
    const first = flow.start("poller");
    await untilReady(flow, ["poller"]);
    const { config } = flow;
    const other = await openFlow({
      kafka: { topic_prefix: config.kafka.topic_prefix },
      extract: { jobs: {}, remote_write: { enabled: true, port } },
    });
    const second = other.start("poller");
    assert.notEqual((await second.ended).exitCode, 0);
    assert.equal(second.log.at(-1)?.code, "PORT_IN_USE");
    await first.stop();
    await other.close();
  });
});

describe("the receiver without Kafka", () => {
  it("listens, says that it is not ready, has senders come again, and ends when it is asked to", async () => {
    const [port, nothing] = await freePorts(2);
    const flow = await openFlow({
      extract: {
        jobs: {},
        remote_write: { enabled: true, port, answer_timeout: "200ms", queue_samples_max: 3 },
      },
    });
    const settings = JSON.parse(readFileSync(flow.file, "utf8")) as { kafka: Record<string, unknown> };
    settings.kafka["brokers"] = [`127.0.0.1:${nothing}`];
    writeFileSync(flow.file, JSON.stringify(settings));
    const poller = flow.start("poller");
    try {
      const body = compressed(writeRequest1(message("load", [1_000, 2_000])));
      const late = await waitFor(
        "the receiver listens",
        () => sendBody(port, body).catch(() => null),
        (answer) => answer !== null,
      );
      assert.deepEqual(
        [
          late?.status,
          late?.headers["retry-after"],
          late?.headers["x-prometheus-remote-write-samples-written"],
        ],
        [503, "5", "0"],
      );
      const both = await Promise.all([sendBody(port, body), sendBody(port, body)]);
      assert.deepEqual(
        both.map(({ status }) => status),
        [503, 503],
      );
      await waitFor(
        "it says what it waits for",
        () => readiness(flow, "poller"),
        (reasons) => reasons?.["kafka (remote_write)"]?.startsWith("KAFKA_UNAVAILABLE") === true,
      );
      const { exitCode, tookMs } = await poller.stop();
      assert.equal(exitCode, 0);
      assert.ok(tookMs < 10_000, `${tookMs} ms`);
    } finally {
      await flow.close();
    }
  });
});

describe("commitRequests", () => {
  const REMEMBER_MS = 60_000;
  let config: Config;
  let clock = 1_000_000;

  before(async () => {
    config = await testConfig();
  });

  /** One life of the receiver behind its HTTP server. */
  async function openLife() {
    const schemas = connectSchemas(config);
    const schemaIds = {
      raw: await schemas.register("raw", schemaText(topics.raw.schema)),
      state: await schemas.register("state", schemaText(topics.state.schema)),
    };
    const queue: CommitQueue = createCommitQueue({ maxSamples: 10_000, answerWithinMs: 60_000 });
    const remembered: number[] = [];
    const failures: string[] = [];
    const stopping = new AbortController();
    const ended = commitRequests(
      {
        queue,
        types: createPushedTypes(),
        kafka: createKafka(config, "test", silent),
        topicPrefix: config.kafka.topic_prefix,
        schemas,
        schemaIds,
        rememberMs: REMEMBER_MS,
        rememberedMax: 1_000,
        outage: createOutage({
          subject: "kafka",
          details: {},
          logger: silent,
          setReason: () => undefined,
          now: () => clock,
        }),
        logger: silent,
        now: () => clock,
        onCommit: () => undefined,
        onOpen: ({ size }) => remembered.push(size()),
        onFailure: (code) => failures.push(code),
      },
      stopping.signal,
    );
    await waitFor(
      "the session is open",
      () => remembered.length,
      (count) => count === 1,
    );
    const from = { known: createSeriesMemory(), identify: createIdentify(config) };
    const limits = { seriesMax: 1_000, samplesMax: 1_000 };
    return {
      remembered,
      failures,
      push: (metric: string, ...timestamps: number[]) =>
        queue.offer(decodeWriteRequest(writeRequest1(message(metric, timestamps)), from, limits).samples),
      end: async () => {
        queue.close();
        await ended;
      },
    };
  }

  it("reads back what was committed since the age before, and no more", async () => {
    const first = await openLife();
    assert.deepEqual(first.remembered, [0]);
    assert.equal(await first.push("a", 1, 2, 3), "written");
    clock += REMEMBER_MS;
    assert.equal(await first.push("b", 1, 2), "written");
    await first.end();
    const second = await openLife();
    // Both ages: that of `a` has just ended.
    assert.deepEqual(second.remembered, [7]);
    assert.equal(await second.push("a", 1, 2, 3), "written");
    clock += REMEMBER_MS;
    assert.equal(await second.push("c", 1), "written");
    clock += REMEMBER_MS;
    assert.equal(await second.push("d", 1), "written");
    await second.end();
    const third = await openLife();
    assert.deepEqual(third.remembered, [4]);
    await third.end();
    const samples = await rawSamples(config);
    assert.equal(samples.length, 4 + 3 + 2 + 2);
    assert.equal(new Set(samples).size, samples.length);
  });

  it("tries again what Kafka refused, once, after it has read what is there", async () => {
    const life = await openLife();
    assert.equal(await life.push("e", 1), "written");
    // Another receiver takes over, and this one does not know.
    const id = `${config.kafka.topic_prefix}millrace.remote-write`;
    const other = await openTransactionalProducer(createKafka(config, "test", silent), id, silent);
    const outcomes = await Promise.all([life.push("f", 1, 2), life.push("e", 1), life.push("f", 2, 3)]);
    assert.deepEqual(outcomes, ["written", "written", "written"]);
    assert.deepEqual(life.failures, ["KAFKA_FENCED"]);
    await life.end();
    await other.close();
    const samples = (await rawSamples(config)).filter((sample) => /^[ef]:/.test(sample));
    assert.deepEqual(samples, [
      "e:unknown@1=0.5",
      "e:unknown@9000=stale",
      "f:unknown@1=0.5",
      "f:unknown@2=1",
      "f:unknown@3=1.5",
      "f:unknown@9000=stale",
    ]);
  });
});
