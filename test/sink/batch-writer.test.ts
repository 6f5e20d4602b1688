import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import avro from "avsc";
import type { KafkaMessage } from "kafkajs";
import { pino } from "pino";
import { Registry } from "prom-client";
import { MillraceError } from "../../services/shared/errors.js";
import { featureSchemaText } from "../../services/shared/feature-columns.js";
import { createFeatureReader, encodeFeatureFrame } from "../../services/shared/frame-codec.js";
import type { FeatureFrame } from "../../services/shared/frame.js";
import type { BatchContext, OutgoingMessage } from "../../services/shared/kafka.js";
import { createOutage } from "../../services/shared/outage.js";
import { createBatchWriter } from "../../services/sink/batch-writer.js";
import { createInfluxClient } from "../../services/sink/influx-client.js";
import { createSinkMetrics } from "../../services/sink/sink-metrics.js";
import {
  type FakeInfluxDb,
  answer,
  page,
  record,
  reset,
  silence,
  startFakeInfluxDb,
} from "./fake-influxdb.js";
import { frameOf } from "./frames.js";
import { until } from "./until.js";

const COLUMNS = ["mean_5m", "rate"];
const SCHEMA_ID = 7;
const BATCH_SIZE = 10;
const schemaType = avro.Type.forSchema(JSON.parse(featureSchemaText(COLUMNS)) as avro.Schema);

function messagesOf(values: readonly (Buffer | null)[], firstOffset = 0): KafkaMessage[] {
  return values.map((value, i) => ({
    key: Buffer.from("entity"),
    value,
    timestamp: "1760000000000",
    offset: String(firstOffset + i),
    attributes: 0,
    headers: {},
  }));
}

const encode = (frame: FeatureFrame) => encodeFeatureFrame(SCHEMA_ID, COLUMNS.length, frame);

/** Frames of some rows each, at successive seconds. */
function framesOf(count: number, rows: number): FeatureFrame[] {
  return Array.from({ length: count }, (_, i) =>
    frameOf({ rows, columns: COLUMNS, timestamp: 1_760_000_000_000 + i * 1000 }),
  );
}

describe("createBatchWriter", () => {
  let fake: FakeInfluxDb;
  let rig: ReturnType<typeof createRig>;

  /** The writer on a fake InfluxDB; Kafka's part is what it is asked to do. */
  function createRig(url: string) {
    const stopping = new AbortController();
    const cutoff = new AbortController();
    const letters: OutgoingMessage[] = [];
    const reasons = new Map<string, string | null>();
    const order: string[] = [];
    const logger = pino({ level: "silent" });
    const outage = (subject: string) =>
      createOutage({
        subject,
        details: {},
        logger,
        setReason: (reason) => reasons.set(subject, reason),
        now: Date.now,
      });
    const registry = new Registry();
    const influx = createInfluxClient({ url, org: "o", bucket: "b", timeoutMs: 250, now: Date.now }, "t");
    let lettersFail = 0;
    const write = createBatchWriter({
      reader: createFeatureReader({
        writerSchema: (id) =>
          id === SCHEMA_ID
            ? Promise.resolve(schemaType)
            : Promise.reject(new MillraceError("SCHEMA_UNKNOWN", `no schema ${id}`)),
      }),
      influx,
      deadLetters: {
        send: (some) => {
          if (lettersFail-- > 0) return Promise.reject(new MillraceError("KAFKA_UNAVAILABLE", "no broker"));
          letters.push(...some);
          order.push("letters");
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      },
      topicPrefix: "t.",
      batchSize: BATCH_SIZE,
      outages: { influx: outage("influxdb"), kafka: outage("kafka"), registry: outage("registry") },
      stopping: stopping.signal,
      cutoff: cutoff.signal,
      metrics: createSinkMetrics(registry),
      logger,
      now: () => 1_760_000_010_000,
    });
    const commits: string[] = [];
    const resolved: string[] = [];
    let beats = 0;
    let heartbeatFails: Error | undefined;
    let current = true;
    const context = (messages: KafkaMessage[], lastOffset = messages.at(-1)!.offset) =>
      ({
        batch: { topic: "t.metrics.features", partition: 2, messages, lastOffset: () => lastOffset },
        epoch: 1,
        isCurrent: () => current,
        heartbeat: () => {
          beats++;
          return heartbeatFails === undefined ? Promise.resolve() : Promise.reject(heartbeatFails);
        },
        resolve: (offset: string) => resolved.push(offset),
        commit: (offset: string) => {
          commits.push(offset);
          order.push(`commit ${offset}`);
          return Promise.resolve();
        },
        seek: () => undefined,
      }) as unknown as BatchContext;
    return {
      write: (messages: KafkaMessage[], lastOffset?: string) => write(context(messages, lastOffset)),
      stopping,
      cutoff,
      letters,
      reasons,
      order,
      commits,
      resolved,
      beats: () => beats,
      failHeartbeat: (error: Error) => (heartbeatFails = error),
      failLetters: (times: number) => (lettersFail = times),
      lose: () => (current = false),
      metric: async (name: string, labels: Record<string, string> = {}) => {
        const found = await registry.getSingleMetric(name)?.get();
        const value = found?.values.find((entry) =>
          Object.entries(labels).every(([label, text]) => String(entry.labels[label]) === text),
        );
        return value?.value ?? 0;
      },
      close: () => influx.close(),
    };
  }

  beforeEach(async () => {
    fake = await startFakeInfluxDb();
    rig = createRig(fake.url);
  });
  afterEach(async () => {
    rig.stopping.abort();
    rig.cutoff.abort();
    rig.close();
    await fake.close();
  });

  const linesOf = (frames: readonly FeatureFrame[]) =>
    frames.reduce((sum, frame) => sum + frame.series.length, 0);

  it("writes frames in requests of at most the batch size, and commits after each", async () => {
    const frames = framesOf(6, 4);
    await rig.write(messagesOf(frames.map(encode), 100), "107");
    assert.deepEqual(
      fake.requests.map(({ lines }) => lines.length),
      [8, 8, 8],
    );
    assert.equal(fake.written.size, linesOf(frames));
    assert.deepEqual(rig.commits, ["102", "104", "108"], "the last one steps over the transaction's markers");
    assert.deepEqual(rig.resolved, ["101", "103", "105"]);
    assert.equal(fake.underWayMax(), 1);
    assert.equal(await rig.metric("millrace_sink_rows_total"), 24);
    assert.equal(await rig.metric("millrace_sink_frames_total"), 6);
  });

  it("cuts a frame that is larger than a request, and commits it once it is wholly written", async () => {
    const [frame] = framesOf(1, 25);
    await rig.write(messagesOf([encode(frame)]));
    assert.deepEqual(
      fake.requests.map(({ lines }) => lines.length),
      [10, 10, 5],
    );
    assert.deepEqual(rig.commits, ["1"]);
  });

  it("measures from the scrape to the acknowledgement", async () => {
    await rig.write(messagesOf([encode(framesOf(1, 1)[0])]));
    const labels = { origin: "live", le: "10" };
    assert.equal(await rig.metric("millrace_sink_scrape_to_influx_seconds", labels), 1);
    assert.equal(await rig.metric("millrace_sink_scrape_to_influx_seconds", { ...labels, le: "8" }), 0);
  });

  it("measures what corrects older rows, or fills a gap, not as if it had been on its way since", async () => {
    const [older, newer] = framesOf(2, 1).map(encode);
    await rig.write(messagesOf([newer, older, newer]));
    const labels = { origin: "live", le: "+Inf" };
    assert.equal(await rig.metric("millrace_sink_scrape_to_influx_seconds", labels), 1);
  });

  it("skips and counts rows without a finite value or feature", async () => {
    const [frame] = framesOf(1, 3);
    frame.values.fill(NaN);
    frame.features.fill(NaN);
    await rig.write(messagesOf([encode(frame)]));
    assert.equal(fake.requests.length, 0);
    assert.deepEqual(rig.commits, ["1"]);
    assert.equal(await rig.metric("millrace_sink_skipped_rows_total", { reason: "no_finite_field" }), 3);
  });

  it("dead-letters what it cannot read with its bytes, and goes on", async () => {
    const [frame] = framesOf(1, 2);
    const good = encode(frame);
    const unknown = Buffer.from(good);
    unknown.writeUInt32BE(99, 1);
    const values = [Buffer.from("hello"), good, unknown, good.subarray(0, good.length - 3), null];
    await rig.write(messagesOf(values));
    assert.equal(fake.written.size, 2);
    assert.deepEqual(
      rig.letters.map(({ headers }) => [headers?.["offset"], headers?.["code"], headers?.["schema_id"]]),
      [
        ["0", "MESSAGE_UNDECODABLE", ""],
        ["2", "SCHEMA_UNKNOWN", "99"],
        ["3", "MESSAGE_UNDECODABLE", "7"],
        ["4", "MESSAGE_UNDECODABLE", ""],
      ],
    );
    assert.deepEqual(rig.letters[1].value, unknown);
    assert.equal(rig.letters[0].topic, "t.metrics.dead");
    assert.deepEqual(rig.order, ["letters", "commit 5"]);
    assert.equal(await rig.metric("millrace_sink_dead_letters_total", { code: "MESSAGE_UNDECODABLE" }), 3);
  });

  it("dead-letters a refused line in InfluxDB's words, writes its neighbours, and commits after the letter", async () => {
    const frames = framesOf(2, 4);
    const poison = `metric_2,instance=10.0.0.0:9100,job=api,mountpoint=/var/lib,row=2`;
    fake.always = (request, response) => {
      const bad = request.lines.filter((line) => line.startsWith(poison) && line.endsWith("1760000001000"));
      record(
        fake,
        request.lines.filter((line) => !bad.includes(line)),
      );
      if (bad.length === 0) response.writeHead(204).end();
      else
        answer(
          422,
          "unprocessable entity",
          "partial write: field type conflict dropped=1",
        )(request, response);
    };
    await rig.write(messagesOf(frames.map(encode)));
    assert.equal(fake.written.size, 7);
    assert.equal(rig.letters.length, 1);
    const { headers, value } = rig.letters[0];
    assert.equal(headers?.["code"], "INFLUX_LINE_REFUSED");
    assert.equal(headers["message"], "partial write: field type conflict dropped=1");
    assert.ok(headers["line"].startsWith(poison));
    assert.equal(headers["lines"], "1");
    assert.deepEqual(value, encode(frames[1]));
    assert.deepEqual(rig.order, ["letters", "commit 2"]);
    assert.equal(await rig.metric("millrace_sink_rows_total"), 7);
    assert.equal(await rig.metric("millrace_sink_refused_rows_total"), 1);
  });

  it("dead-letters a row that line protocol cannot write", async () => {
    const frame = frameOf({ rows: 2, columns: COLUMNS, metric: (row) => (row === 0 ? "#odd" : "m") });
    await rig.write(messagesOf([encode(frame)]));
    assert.equal(fake.written.size, 1);
    assert.equal(rig.letters[0].headers?.["code"], "INFLUX_LINE_REFUSED");
    assert.match(rig.letters[0].headers["line"], /^#odd/);
  });

  it("halves what is too large for one request", async () => {
    fake.always = (request, response) => {
      if (request.lines.length > 3) {
        page(413)(request, response);
        return;
      }
      record(fake, request.lines);
      response.writeHead(204).end();
    };
    const frames = framesOf(2, 5);
    await rig.write(messagesOf(frames.map(encode)));
    assert.equal(fake.written.size, 10);
    assert.ok([...fake.written.values()].every((times) => times === 1));
    assert.deepEqual(rig.letters, []);
  });

  it("waits and tries again while InfluxDB is away, in any way, and says so; then has written every line once", async () => {
    fake.faults.push(
      answer(503, "unavailable", "starting", { "retry-after": "0" }),
      answer(500, "internal error", "engine is closed"),
      reset,
      silence,
    );
    const frames = framesOf(2, 5);
    const writing = rig.write(messagesOf(frames.map(encode)));
    await until(
      () => rig.reasons.get("influxdb")?.startsWith("INFLUX_UNAVAILABLE") === true,
      "readiness to say so",
    );
    await writing;
    assert.equal(rig.reasons.get("influxdb"), null);
    assert.equal(fake.written.size, 10);
    assert.ok([...fake.written.values()].every((times) => times === 1));
    assert.deepEqual(rig.commits, ["2"]);
    assert.ok(rig.beats() > 0, "heartbeats went on");
    assert.equal(await rig.metric("millrace_sink_influx_failures_total", { code: "INFLUX_UNAVAILABLE" }), 4);
  });

  it("writes again what a time-out left unsure: the same lines, so the same points", async () => {
    fake.faults.push((request) => record(fake, request.lines));
    const [frame] = framesOf(1, 5);
    await rig.write(messagesOf([encode(frame)]));
    assert.deepEqual([...fake.written.values()], [2, 2, 2, 2, 2]);
    assert.deepEqual(rig.commits, ["1"]);
  });

  it("waits as long as a 429 asks", async () => {
    fake.faults.push(answer(429, "too many requests", "limit", { "retry-after": "1" }));
    const started = Date.now();
    await rig.write(messagesOf([encode(framesOf(1, 1)[0])]));
    assert.ok(Date.now() - started >= 990);
    assert.equal(fake.requests.length, 2);
  });

  it("fails with a wrong token or a missing bucket, and commits nothing", async () => {
    for (const [fault, code] of [
      [answer(401, "unauthorized", "unauthorized access"), "INFLUX_UNAUTHORIZED"],
      [answer(404, "not found", "bucket not found"), "INFLUX_BUCKET_MISSING"],
    ] as const) {
      fake.faults.push(fault);
      await assert.rejects(
        rig.write(messagesOf([encode(framesOf(1, 1)[0])])),
        (error) => error instanceof MillraceError && error.code === code,
      );
    }
    assert.deepEqual(rig.commits, []);
    assert.deepEqual(rig.letters, []);
    assert.equal(fake.requests.length, 2, "a person must act first");
  });

  it("sends dead letters again until Kafka has them, before it commits", async () => {
    rig.failLetters(2);
    await rig.write(messagesOf([Buffer.from("hello")]));
    assert.equal(rig.letters.length, 1);
    assert.deepEqual(rig.order, ["letters", "commit 1"]);
  });

  it("finishes and commits the write under way when it is stopped, and starts no other", async () => {
    let finish: (() => void) | undefined;
    fake.faults.push((request, response) => {
      finish = () => {
        record(fake, request.lines);
        response.writeHead(204).end();
      };
    });
    const writing = rig.write(messagesOf(framesOf(6, 4).map(encode)));
    await until(() => finish !== undefined, "the first request");
    rig.stopping.abort(new Error("stopping"));
    finish!();
    await writing;
    assert.deepEqual(rig.commits, ["2"]);
    assert.equal(fake.requests.length, 1);
  });

  it("ends its wait at once when it is stopped, and commits nothing that was not written", async () => {
    fake.always = page(503);
    const writing = rig.write(messagesOf(framesOf(1, 4).map(encode)));
    await until(() => fake.requests.length >= 2, "it to try again");
    rig.stopping.abort(new Error("stopping"));
    await assert.rejects(writing);
    assert.deepEqual(rig.commits, []);
  });

  it("cuts a silent request off when the stop can wait no longer", async () => {
    fake.always = silence;
    const writing = rig.write(messagesOf(framesOf(1, 4).map(encode)));
    await until(() => fake.requests.length === 1, "the request");
    rig.stopping.abort(new Error("stopping"));
    rig.cutoff.abort(new Error("cut off"));
    await assert.rejects(writing);
    assert.deepEqual(rig.commits, []);
    await until(() => fake.underWay() === 0, "the request to be closed");
  });

  it("abandons its work when the group rebalances", async () => {
    fake.always = page(503);
    const rebalance = new Error("The group is rebalancing");
    const writing = rig.write(messagesOf(framesOf(1, 4).map(encode)));
    await until(() => fake.requests.length >= 1, "the request");
    rig.failHeartbeat(rebalance);
    await assert.rejects(writing, rebalance);
    const requests = fake.requests.length;
    assert.ok(fake.underWay() <= 1);
    fake.always = undefined;
    await until(() => fake.underWay() === 0, "nothing to be under way");
    assert.ok(fake.requests.length <= requests + 1);
    assert.deepEqual(rig.commits, []);
  });

  it("commits nothing of a partition that it has lost", async () => {
    fake.faults.push((request, response) => {
      rig.lose();
      record(fake, request.lines);
      response.writeHead(204).end();
    });
    await rig.write(messagesOf(framesOf(6, 4).map(encode)));
    assert.deepEqual(rig.commits, []);
    assert.equal(fake.requests.length, 1);
  });
});
