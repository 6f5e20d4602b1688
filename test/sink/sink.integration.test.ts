import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { InfluxDB } from "@influxdata/influxdb-client";
import type { KafkaMessage } from "kafkajs";
import { readSecret } from "../../services/shared/config.js";
import { schemaIdOf } from "../../services/shared/frame-codec.js";
import type { FeatureFrame } from "../../services/shared/frame.js";
import { createKafka, readTopic, withAdmin } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { topicName } from "../../services/shared/topics.js";
import { type FeatureSender, openFeatureSender } from "../client/send-features.js";
import {
  type Flow,
  type RunningService,
  openFlow,
  readiness,
  runnersServers,
  untilReady,
} from "../flow/running-services.js";
import { waitFor } from "../flow/wait-for.js";
import { type SwitchableProxy, openProxy } from "./switchable-proxy.js";
import { frameOf } from "./frames.js";

/** Recent, since InfluxDB judges times by the bucket's retention; whole seconds, so that it reads well. */
const START = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

describe("the sink on real servers", () => {
  let flow: Flow;
  let proxy: SwitchableProxy;
  let sender: FeatureSender;
  let sink: RunningService;
  let sent = 0;

  before(async () => {
    const { load } = runnersServers();
    proxy = await openProxy(new URL(load.influxdb.url));
    flow = await openFlow({
      load: { influxdb: { url: `http://127.0.0.1:${proxy.port}`, batch_size: 100 } },
      kafka: { partitions: 2 },
      transform: { feature_engineering: { rolling_windows: [5], percentiles: [50] } },
    });
    sender = await openFeatureSender(flow.config);
    sink = flow.start("sink");
    await untilReady(flow, ["sink"]);
  });
  after(async () => {
    await flow.close();
    await sender.close();
    await proxy.close();
  });

  const frame = (options: Parameters<typeof frameOf>[0]): FeatureFrame =>
    frameOf({ columns: sender.columns, revision: sent++, ...options });

  async function rowsAt(timestamp: number): Promise<Record<string, unknown>[]> {
    const { org, bucket, token_file, url } = flow.config.load.influxdb;
    const influx = new InfluxDB({ url, token: readSecret(token_file) });
    const [start, stop] = [timestamp, timestamp + 1].map((time) => new Date(time).toISOString());
    return influx.getQueryApi(org).collectRows(
      `from(bucket: "${bucket}") |> range(start: ${start}, stop: ${stop})
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group() |> sort(columns: ["row"])`,
    );
  }

  async function writeDirectly(line: string): Promise<void> {
    const { org, bucket, token_file, url } = flow.config.load.influxdb;
    const { status } = await fetch(`${url}/api/v2/write?org=${org}&bucket=${bucket}`, {
      method: "POST",
      headers: { authorization: `Token ${readSecret(token_file)}` },
      body: line,
    });
    assert.equal(status, 204);
  }

  async function deadLetters(): Promise<KafkaMessage[]> {
    const { topic_prefix } = flow.config.kafka;
    const letters: KafkaMessage[] = [];
    await readTopic(
      createKafka(flow.config, "test", createLogger("test", "silent")),
      topicName("dead", topic_prefix),
      "earliest",
      (messages) => void letters.push(...messages),
    );
    return letters;
  }

  it("writes a row as a point: metric and labels as measurement and tags, all values as floats", async () => {
    const written = frame({ timestamp: START, rows: 2, metric: () => "with space,comma" });
    written.values[0] = 3;
    written.features[1] = NaN;
    await sender.send([written]);
    const rows = await waitFor(
      "the rows are in InfluxDB",
      () => rowsAt(START),
      ({ length }) => length === 2,
    );
    const { columns } = sender;
    rows.forEach((row, i) => {
      const features = columns.map(
        (column, k) => [column, written.features[i * columns.length + k]] as const,
      );
      assert.deepEqual(withoutQueryColumns(row), {
        _time: new Date(START).toISOString().replace(".000Z", "Z"),
        _measurement: "with space,comma",
        ...written.series[i].labels,
        value: written.values[i],
        ...Object.fromEntries(features.map(([name, value]) => [name, Number.isNaN(value) ? null : value])),
      });
    });
  });

  it("replaces a row by its later revision, and does not double one that comes again", async () => {
    const timestamp = START + 1_000;
    const first = frame({ timestamp, seed: 1 });
    const second = frame({ timestamp, seed: 2 });
    await sender.send([first, first, second]);
    const rows = await waitFor(
      "the later revision is in InfluxDB",
      () => rowsAt(timestamp),
      (found) => found[0]?.["value"] === second.values[0],
    );
    assert.deepEqual(
      rows.map(({ value }) => value),
      [...second.values],
    );
  });

  it("deletes the rows of a retracted frame, and no others", async () => {
    const timestamp = START + 2_000;
    const kept = frame({ timestamp, entity: 1 });
    const gone = frame({ timestamp, entity: 2 });
    await sender.send([kept, gone]);
    await waitFor(
      "both frames are in InfluxDB",
      () => rowsAt(timestamp),
      ({ length }) => length === 6,
    );
    await sender.send([{ ...gone, retracted: true, revision: sent++ }]);
    const rows = await waitFor(
      "the retracted rows are gone",
      () => rowsAt(timestamp),
      ({ length }) => length === 3,
    );
    assert.ok(rows.every(({ instance }) => instance === kept.entity.labels["instance"]));
  });

  it("puts a message that is no frame, and a row that InfluxDB refuses, into metrics.dead, and writes their neighbours", async () => {
    const timestamp = START + 3_000;
    const letters = (await deadLetters()).length;
    // From here on the field is of another type than Millrace's rows have.
    await writeDirectly("conflicting value=1i");
    const refused = frame({ timestamp, entity: 9, rows: 1, metric: () => "conflicting" });
    await sender.send([frame({ timestamp })]);
    await sender.sendBytes("broken", Buffer.from("no frame"));
    await sender.sendBytes("unknown", Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]));
    await sender.send([refused, frame({ timestamp: timestamp + 1 })]);
    for (const time of [timestamp, timestamp + 1]) {
      await waitFor(
        "the neighbours are in InfluxDB",
        () => rowsAt(time),
        ({ length }) => length === 3,
      );
    }
    const found = await waitFor("all are dead-lettered", deadLetters, (all) => all.length >= letters + 3);
    const byKey = new Map(found.map((letter) => [String(letter.key), letter]));
    const headersOf = (key: string) =>
      Object.fromEntries(
        Object.entries(byKey.get(key)?.headers ?? {}).map(([name, value]) => [name, String(value)]),
      );
    assert.equal(found.length, letters + 3);
    assert.equal(headersOf("broken")["code"], "MESSAGE_UNDECODABLE");
    assert.equal(headersOf("unknown")["code"], "SCHEMA_UNKNOWN");
    assert.equal(headersOf("unknown")["schema_id"], String(0x7fffffff));
    const { code, stage, topic, line } = headersOf(refused.entity.key);
    assert.deepEqual(
      { code, stage, topic },
      {
        code: "INFLUX_LINE_REFUSED",
        stage: "sink",
        topic: topicName("features", flow.config.kafka.topic_prefix),
      },
    );
    assert.match(line, /^conflicting,/);
    assert.ok(schemaIdOf(byKey.get(refused.entity.key)!.value) > 0, "the original bytes");
  });

  it("waits for an InfluxDB that is away, commits nothing meanwhile, and misses nothing afterwards", async () => {
    const admin = <Result>(use: Parameters<typeof withAdmin<Result>>[1]) =>
      withAdmin(createKafka(flow.config, "test", createLogger("test", "silent")), use);
    const { topic_prefix } = flow.config.kafka;
    const topic = topicName("features", topic_prefix);
    const groupId = `${topic_prefix}millrace.sink`;
    const sum = (offsets: readonly string[]) => offsets.reduce((total, offset) => total + Number(offset), 0);
    const end = () =>
      admin(async (kafka) => sum((await kafka.fetchTopicOffsets(topic)).map(({ high }) => high)));
    const committed = () =>
      admin(async (kafka) => {
        const [{ partitions }] = await kafka.fetchOffsets({ groupId, topics: [topic] });
        return sum(partitions.map(({ offset }) => offset));
      });
    const before = await end();
    await waitFor("all that was sent so far is committed", committed, (offset) => offset === before);
    await proxy.close();
    const timestamps = Array.from({ length: 50 }, (_, i) => START + 10_000 + i);
    await sender.send(timestamps.map((timestamp) => frame({ timestamp, entity: timestamp % 5 })));
    const reasons = await waitFor(
      "the sink says why it is not ready",
      () => readiness(flow, "sink"),
      (found) => found?.["influxdb"] !== undefined,
    );
    assert.match(reasons!["influxdb"], /^INFLUX_UNAVAILABLE: /);
    assert.equal(await committed(), before);
    await proxy.open();
    for (const timestamp of timestamps) {
      await waitFor(
        `the rows of ${timestamp} are in InfluxDB`,
        () => rowsAt(timestamp),
        ({ length }) => length === 3,
      );
    }
    await untilReady(flow, ["sink"]);
    await waitFor("all is committed", committed, (offset) => offset === before + 50);
    const told = sink.log.filter(({ level, code }) => level >= 40 && code === "INFLUX_UNAVAILABLE");
    assert.equal(told.length, 1, "one line for one outage");
  });

  it("stops within its limit and with exit code 0", async () => {
    const { exitCode, tookMs } = await sink.stop();
    assert.equal(exitCode, 0);
    assert.ok(tookMs < 10_000);
  });
});

function withoutQueryColumns(record: Record<string, unknown>): Record<string, unknown> {
  const { result, table, _start, _stop, ...row } = record;
  assert.ok([result, table, _start, _stop].every((column) => column !== undefined));
  return row;
}
