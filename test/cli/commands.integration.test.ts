import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Config } from "../../services/shared/config-schema.js";
import { exitCodes } from "../../services/shared/errors.js";
import { topics } from "../../services/shared/topics.js";
import { type FeatureSender, openFeatureSender } from "../client/send-features.js";
import { frameOf } from "../sink/frames.js";
import { testConfigFile } from "../stack/servers-for-tests.js";
import { runMillrace } from "./run-millrace.js";

interface Check {
  name: string;
  ok: boolean;
  code?: string;
  detail: string;
}

/** Recent: --since counts back from now. */
const START = Date.now() - 60_000;

describe("commands on real servers", () => {
  let config: Config;
  let file: string;
  let sender: FeatureSender;
  before(async () => {
    ({ config, file } = await testConfigFile({ kafka: { partitions: 2 } }));
    sender = await openFeatureSender(config);
    const frames = Array.from({ length: 6 }, (_, i) =>
      frameOf({
        columns: sender.columns,
        entity: i % 2,
        timestamp: START + i * 10_000,
        revision: i,
        seed: i,
      }),
    );
    frames[0].features[0] = NaN;
    frames[0].features[1] = Infinity;
    await sender.send(frames);
  });
  after(() => sender.close());

  const millrace = (...args: string[]) => runMillrace([...args, "--config", file]);

  async function tailed(...args: string[]): Promise<Record<string, unknown>[]> {
    const { exitCode, stdout, stderr } = await millrace("tail", ...args);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  describe("tail", () => {
    it("prints a topic from its beginning, decoded, up to the limit", async () => {
      const frames = await tailed("metrics.features", "--from-beginning", "--limit", "6");
      assert.deepEqual(
        frames.map(({ timestamp }) => timestamp).toSorted(),
        Array.from({ length: 6 }, (_, i) => START + i * 10_000),
      );
      const first = frames.find(({ timestamp }) => timestamp === START)!;
      const [row] = first["rows"] as Record<string, unknown>[];
      const [firstColumn, secondColumn] = sender.columns;
      assert.equal(row["metric"], "metric_0");
      assert.equal(row[firstColumn], null, "NaN");
      assert.equal(row[secondColumn], "Infinity");
    });

    it("prints only an entity's messages, and only those since a time", async () => {
      const ofEntity = await tailed("metrics.features", "-b", "-n", "3", "-e", "instance=10.0.0.1:9100");
      assert.deepEqual(
        ofEntity.map(({ timestamp }) => timestamp),
        [1, 3, 5].map((i) => START + i * 10_000),
      );
      const since = `${Math.ceil((Date.now() - (START + 35_000)) / 1000)}s`;
      const recent = await tailed("metrics.features", "--since", since, "-n", "2");
      assert.deepEqual(recent.map(({ timestamp }) => timestamp).toSorted(), [START + 40_000, START + 50_000]);
    });

    it("tells of a topic that does not exist, and of options that exclude each other", async () => {
      const missing = await millrace("tail", "no.such.topic");
      assert.equal(missing.exitCode, exitCodes.unavailable);
      assert.match(missing.stderr, /^KAFKA_TOPIC_MISSING: /);
      const both = await millrace("tail", "metrics.raw", "-b", "--since", "5m");
      assert.equal(both.exitCode, exitCodes.usage);
    });
  });

  it("topics lists all with their partitions, and creates those that are missing", async () => {
    const listed = async (...args: string[]) => {
      const { stdout } = await runMillrace(["topics", "--json", ...args]);
      return (JSON.parse(stdout) as { topics: { name: string; partitions: number; exists: boolean }[] })
        .topics;
    };
    const existing = await listed("--config", file);
    assert.deepEqual(
      existing.map(({ name }) => name),
      Object.values(topics).map(({ name }) => config.kafka.topic_prefix + name),
    );
    assert.ok(existing.every(({ exists }) => exists));
    const another = join(dirname(file), `${config.load.influxdb.bucket}-topics.yaml`);
    writeFileSync(
      another,
      JSON.stringify({
        kafka: { brokers: config.kafka.brokers, topic_prefix: `${config.kafka.topic_prefix}b.` },
      }),
    );
    assert.ok((await listed("--config", another)).every(({ exists }) => !exists));
    assert.ok((await listed("--create", "--config", another)).every(({ exists }) => exists));
  });

  it("check finds all servers, a wrong token, missing topics, and secrets that all can read", async () => {
    const sound = await millrace("check", "--json");
    assert.equal(sound.exitCode, exitCodes.ok, sound.stdout);

    const token = join(dirname(file), `${config.load.influxdb.bucket}-token`);
    writeFileSync(token, "wrong\n");
    chmodSync(token, 0o644);
    const { stdout, exitCode } = await runMillrace(["check", "--json", "--config", file], {
      environment: { MILLRACE_LOAD__INFLUXDB__TOKEN_FILE: token, MILLRACE_KAFKA__TOPIC_PREFIX: "none." },
    });
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    const codes = Object.fromEntries(checks.filter(({ ok }) => !ok).map(({ name, code }) => [name, code]));
    assert.deepEqual(codes, { topics: "KAFKA_TOPIC_MISSING", influxdb: "INFLUX_UNAUTHORIZED" });
    assert.equal(exitCode, exitCodes.configuration);
    const secrets = checks.find(({ name }) => name === "secrets");
    assert.match(secrets?.detail ?? "", /token_file: .*chmod 600/);
  });

  it("status tells what is not running, with exit code 69", async () => {
    const { exitCode, stdout } = await millrace("status", "--json");
    const report = JSON.parse(stdout) as {
      ready: boolean;
      stages: Record<string, { ready: boolean; lagMessages: number | null }>;
    };
    assert.equal(exitCode, exitCodes.unavailable);
    assert.equal(report.ready, false);
    // Of the servers that do answer something is known.
    assert.equal(report.stages["sink"].lagMessages, 6);
  });
});
