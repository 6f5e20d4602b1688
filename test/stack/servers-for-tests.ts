import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import type { Config } from "../../services/shared/config-schema.js";
import { parseConfig } from "../../services/shared/config.js";
import { createKafka, createTopics } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { createBucket } from "../../services/stack/influxdb-bucket.js";

type Section = Record<string, unknown>;

/**
 * A configuration of the servers that the test runner has started, isolated from every other test: a fresh
 * topic_prefix with its topics created, a fresh bucket that keeps everything, free telemetry ports.
 */
export async function testConfig(overrides: Section = {}): Promise<Config> {
  return (await testConfigFile(overrides)).config;
}

/** As testConfig; and the same in a file, for processes that a test starts. The runner removes it. */
export async function testConfigFile(overrides: Section = {}): Promise<{ config: Config; file: string }> {
  const runnersFile = process.env["MILLRACE_TEST_CONFIG"];
  if (runnersFile === undefined) {
    throw new Error("No servers: this test runs by `npm test -- <part of its path>`, which starts them.");
  }
  const name = `t${randomBytes(4).toString("hex")}`;
  const [poller, processor, sink, simulator] = await freePorts(4);
  const fresh = {
    kafka: { topic_prefix: `${name}.` },
    load: { influxdb: { bucket: name } },
    telemetry: { ports: { poller, processor, sink, simulator } },
  };
  const servers = JSON.parse(readFileSync(runnersFile, "utf8")) as Section;
  const text = JSON.stringify(merged(merged(servers, fresh), overrides));
  const file = join(dirname(runnersFile), `${name}.yaml`);
  writeFileSync(file, text);
  const config = parseConfig(text, file);
  await Promise.all([
    createTopics(createKafka(config, "test", createLogger("test", "silent")), config),
    createBucket(config.load.influxdb, 0),
  ]);
  return { config, file };
}

/** Ports of 127.0.0.1 that nothing listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function merged(base: Section, over: Section): Section {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isSection(below) && isSection(value) ? merged(below, value) : value;
  }
  return result;
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
