import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createKafka, withAdmin } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { topicName } from "../../services/shared/topics.js";
import { prepare } from "../../services/stack/prepare.js";
import { testConfig, testConfigFile } from "./servers-for-tests.js";

const logger = createLogger("test", "silent");

describe("testConfig", () => {
  it("gives every caller topics and a bucket of its own", async () => {
    const [one, two] = await Promise.all([testConfig(), testConfig()]);
    const existing = await withAdmin(createKafka(one, "test", logger), (admin) => admin.listTopics());
    for (const { kafka } of [one, two]) assert.ok(existing.includes(topicName("raw", kafka.topic_prefix)));
    assert.notEqual(one.kafka.topic_prefix, two.kafka.topic_prefix);
    assert.notEqual(one.load.influxdb.bucket, two.load.influxdb.bucket);
    assert.notEqual(one.telemetry.ports.sink, two.telemetry.ports.sink);
  });

  it("lets a test set what it needs, and leaves the rest", async () => {
    const { config, file } = await testConfigFile({ load: { influxdb: { batch_size: 7 } } });
    assert.equal(config.load.influxdb.batch_size, 7);
    assert.ok(readFileSync(file, "utf8").includes(config.load.influxdb.bucket));
  });
});

describe("prepare", () => {
  it("creates topics, schemas and bucket where they are missing, and nothing the second time", async () => {
    const base = await testConfig();
    const fresh = `${base.load.influxdb.bucket}fresh`;
    const config = {
      ...base,
      kafka: { ...base.kafka, topic_prefix: `${fresh}.` },
      load: { influxdb: { ...base.load.influxdb, bucket: fresh } },
    };
    const first = await prepare(config, logger);
    assert.equal(first.createdTopics.length, 7);
    assert.equal(first.registeredSchemas, 6);
    assert.equal(first.createdBucket, true);
    const second = await prepare(config, logger);
    assert.deepEqual(second, { createdTopics: [], registeredSchemas: 6, createdBucket: false });
  });
});
