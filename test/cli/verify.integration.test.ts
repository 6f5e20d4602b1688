import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Config } from "../../services/shared/config-schema.js";
import { exitCodes } from "../../services/shared/errors.js";
import { createRawReader, encodeRawFrame, schemaIdOf } from "../../services/shared/frame-codec.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { createKafka, openIdempotentProducer } from "../../services/shared/kafka.js";
import { connectSchemas } from "../../services/shared/schema-registry.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { topicName } from "../../services/shared/topics.js";
import { isStrangers, rawMessages, sendRaw } from "../flow/faulty-topics.js";
import { storedSamples } from "../flow/prometheus-answers.js";
import {
  type Flow,
  beginning,
  openFlow,
  runnersServers,
  untilReady,
  watermark,
} from "../flow/running-services.js";
import { waitFor } from "../flow/wait-for.js";
import { runMillrace } from "./run-millrace.js";

interface Difference {
  series: string;
  missing: number;
  extra: number;
  doubled: number;
  different: number;
  first: string;
}

interface Verified {
  same: boolean;
  sources: {
    from: string;
    to: string;
    remark?: string;
    series: number;
    kafka: number;
    differences: Difference[];
  }[];
}

const LOOKBACK_MS = 8_000;
/** How much of the time before the poller's first window is compared. */
const UNREAD_MS = 4_000;

/** One story, told in order: the poller's own work is the same on both sides; then it is broken, sample by sample. */
describe("millrace verify", () => {
  let flow: Flow;
  let from: number;
  let to: number;

  before(async () => {
    await untilScrapedFor(LOOKBACK_MS + UNREAD_MS + 2_000);
    flow = await openFlow({
      extract: {
        templates: { node: { selectors: ['{job="node"}', "node_load1"] } },
        jobs: { live: { templates: ["node"], overlap: "3s", initial_lookback: `${LOOKBACK_MS}ms` } },
      },
    });
    const poller = flow.start("poller");
    await untilReady(flow, ["poller"]);
    from = await beginning(poller);
    to = Date.now();
    await waitFor(
      "the watermark has passed",
      () => watermark(flow),
      (reached) => reached >= to,
    );
    await poller.stop();
  });
  after(() => flow.close());

  const iso = (ms: number) => new Date(ms).toISOString();

  async function verify(...args: string[]): Promise<{ exitCode: number; verified: Verified }> {
    const { exitCode, stdout, stderr } = await runMillrace(
      ["verify", "--json", "--config", flow.file, ...args],
      { timeoutMs: 60_000 },
    );
    assert.equal(stderr, "");
    return { exitCode, verified: JSON.parse(stdout) as Verified };
  }

  const range = () => ["--from", iso(from), "--to", iso(to)];

  it("finds Kafka to hold what Prometheus has, and passes over what is not ours", async () => {
    await sendRaw(flow.config, 0, [Buffer.from("cpu 0.5"), null]);
    const { exitCode, verified } = await verify(...range());
    assert.deepEqual(verified.sources[0].differences, []);
    assert.equal(exitCode, exitCodes.ok);
    const [{ series, kafka }] = verified.sources;
    assert.ok(series > 200 && kafka > 1_000, `${series} series, ${kafka} samples`);
    const person = await runMillrace(["verify", "--config", flow.file, ...range()], { timeoutMs: 60_000 });
    assert.match(person.stdout, /^prometheus: .+: the same on both sides\n$/);
  });

  it("leaves out what is under way, and says so", async () => {
    const { verified } = await verify("--from", iso(from));
    assert.match(verified.sources[0].remark ?? "", /the job live/);
    assert.ok(Date.parse(verified.sources[0].to) < Date.now());
    const nothing = await runMillrace(["verify", "--from", "-1s", "--config", flow.file]);
    assert.match(nothing.stderr, /^VERIFY_NOTHING_YET: The job live has brought all until /);
    assert.equal(nothing.exitCode, exitCodes.failure);
  });

  it("finds what Kafka never got", async () => {
    const { exitCode, verified } = await verify(
      "--from",
      iso(from - UNREAD_MS),
      "--to",
      iso(from),
      "-m",
      "node_load1",
    );
    assert.equal(exitCode, exitCodes.failure);
    assert.deepEqual(
      verified.sources[0].differences.map(({ series, extra }) => [series.replace(/\{.*/, ""), extra]),
      [["node_load1", 0]],
    );
    assert.ok(verified.sources[0].differences[0].missing >= 3);
  });

  it("finds single samples that are doubled, extra and different", async () => {
    const messages = (await rawMessages(flow.config)).filter((message) => !isStrangers(message));
    const reader = createRawReader(connectSchemas(flow.config));
    await reader.prepare([messages[0].value]);
    const frames = messages
      .map(({ value }) => reader.read(value))
      .filter(({ timestamp }) => timestamp > from && timestamp <= to)
      .sort((a, b) => a.timestamp - b.timestamp);
    const one = (frame: RawFrame, value: number, timestamp = frame.timestamp): RawFrame => {
      const at = frame.series.findIndex(({ metric }) => metric === "node_load1");
      assert.ok(at >= 0);
      return {
        ...frame,
        timestamp,
        series: [frame.series[at]],
        values: Float64Array.of(Number.isNaN(value) ? frame.values[at] : value),
        stale: new Uint8Array(1),
      };
    };
    const [first, second, third] = frames.filter(({ series }) =>
      series.some(({ metric }) => metric === "node_load1"),
    );
    await send(flow.config, schemaIdOf(messages[0].value), [
      one(first, NaN),
      one(second, 4711),
      one(third, 1, third.timestamp + 1),
      { ...one(third, 5), source: "another" },
      { ...one(third, 6), stale: Uint8Array.of(1) },
    ]);
    const { exitCode, verified } = await verify(...range());
    assert.equal(exitCode, exitCodes.failure);
    const [{ series, ...found }, ...more] = verified.sources[0].differences;
    assert.deepEqual(more, []);
    assert.match(series, /^node_load1\{/);
    assert.deepEqual(
      { missing: found.missing, extra: found.extra, doubled: found.doubled, different: found.different },
      { missing: 0, extra: 1, doubled: 2, different: 1 },
    );
    assert.equal(found.first, iso(first.timestamp));
    const others = await verify(...range(), "--match", '{__name__!="node_load1",job="node"}');
    assert.equal(others.exitCode, exitCodes.ok);
  });

  it("refuses times and selectors that are none", async () => {
    for (const args of [
      ["--from", "yesterday"],
      ["--from", "-1h", "--to", "-2h"],
      ["--from", "-1h", "--match", "rate(x[5m])"],
    ]) {
      const { exitCode, stderr } = await runMillrace(["verify", "--config", flow.file, ...args]);
      assert.equal(exitCode, exitCodes.usage, stderr);
      assert.match(stderr, /^USAGE_INVALID: /);
    }
  });
});

/** The runner's Prometheus has been started for this file, maybe. */
async function untilScrapedFor(ms: number): Promise<void> {
  const config = runnersServers();
  await waitFor(
    "Prometheus has scraped for long enough",
    () => storedSamples(config, "node_load1", { from: Date.now() - ms - 60_000, to: Date.now() - ms }),
    (samples) => samples.size > 0,
  );
}

async function send(config: Config, schemaId: number, frames: readonly RawFrame[]): Promise<void> {
  const producer = await openIdempotentProducer(createKafka(config, "test", createLogger("test", "silent")));
  try {
    await producer.send(
      frames.map((frame) => ({
        topic: topicName("raw", config.kafka.topic_prefix),
        partition: 0,
        key: frame.entity.key,
        value: encodeRawFrame(schemaId, frame),
        timestamp: frame.timestamp,
      })),
    );
  } finally {
    await producer.close();
  }
}
