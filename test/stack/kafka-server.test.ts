import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseConfig } from "../../services/shared/config.js";
import { kafkaServer } from "../../services/stack/kafka-server.js";
import type { Folders } from "../../services/stack/server-definition.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("kafkaServer", () => {
  let tools: FakeTools;
  let folders: Folders;
  let environment: Readonly<Record<string, string>>;
  beforeEach(() => {
    tools = fakeTools();
    const { folder } = tools;
    folders = {
      program: join(folder, "servers/kafka"),
      data: join(folder, "data/kafka"),
      config: join(folder, "config/kafka"),
    };
    for (const made of [folders.data, folders.config]) mkdirSync(made, { recursive: true });
    environment = {
      ...tools.environment,
      CALLS: join(folder, "calls"),
      ...tools.writeJava(99, 'echo "$PWD $*" >> "$CALLS"; touch kafka/meta.properties'),
    };
  });
  afterEach(() => tools.remove());

  const configOf = (broker: string) =>
    parseConfig(
      `{ kafka: { brokers: ["${broker}"] }, stack: { kafka_controller_port: 19093 } }`,
      "test.yaml",
    );
  const prepare = (broker = "127.0.0.1:19092", variables = environment) =>
    kafkaServer.prepareLaunch(configOf(broker), folders, variables, new AbortController().signal);
  const calls = () => readFileSync(environment["CALLS"], "utf8").trim().split("\n");
  const propertiesOf = async (broker: string) => {
    await prepare(broker);
    const lines = readFileSync(join(folders.config, "server.properties"), "utf8").trim().split("\n");
    const pairs = lines
      .filter((line) => !line.startsWith("#"))
      .map((line) => line.split(/=(.*)/s).slice(0, 2));
    assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, "a key twice");
    return Object.fromEntries(pairs) as Record<string, string>;
  };

  it("is broker and controller in one, of this machine only", async () => {
    const properties = await propertiesOf("127.0.0.1:19092");
    assert.equal(properties["process.roles"], "broker,controller");
    assert.equal(properties["listeners"], "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093");
    assert.equal(properties["advertised.listeners"], "PLAINTEXT://127.0.0.1:19092");
    assert.equal(properties["controller.quorum.voters"], "1@127.0.0.1:19093");
    assert.equal(properties["node.id"], "1");
    assert.equal(properties["auto.create.topics.enable"], "false");
  });

  it("keeps one replica of everything, as one broker must", async () => {
    const properties = await propertiesOf("127.0.0.1:19092");
    const replicas = Object.entries(properties).filter(([key]) => /replication\.factor$|min\.isr$/.test(key));
    assert.deepEqual(replicas.map(([key]) => key).toSorted(), [
      "offsets.topic.replication.factor",
      "share.coordinator.state.topic.min.isr",
      "share.coordinator.state.topic.replication.factor",
      "transaction.state.log.min.isr",
      "transaction.state.log.replication.factor",
    ]);
    for (const [key, value] of replicas) assert.equal(value, "1", key);
  });

  it("binds names and IPv6 as one address", async () => {
    assert.match((await propertiesOf("localhost:9092"))["listeners"], /^PLAINTEXT:\/\/127\.0\.0\.1:9092,/);
    assert.match((await propertiesOf("[::1]:9092"))["listeners"], /^PLAINTEXT:\/\/\[::1\]:9092,/);
    assert.deepEqual(kafkaServer.address(configOf("[::1]:9092")), { host: "::1", port: 9092 });
  });

  it("names its data by a plain name, whatever the folders above are called", async () => {
    const { "log.dirs": data } = await propertiesOf("127.0.0.1:19092");
    const { cwd } = await prepare();
    assert.equal(data, "kafka");
    assert.equal(join(cwd, data), folders.data);
  });

  it("formats its data once, with an id of its own", async () => {
    await prepare();
    const [call] = calls();
    assert.ok(call.startsWith(`${dirname(folders.data)} `), call);
    assert.match(call, / kafka\.tools\.StorageTool format -t [A-Za-z0-9_][\w-]{21} -c /);
    await prepare();
    assert.equal(calls().length, 1);
  });

  it("does not take data for formatted where that failed", async () => {
    const failing = { ...environment, ...tools.writeJava(98, "echo '[ERROR] no'; exit 1") };
    await assert.rejects(prepare("127.0.0.1:19092", failing), {
      code: "SERVER_BUILD_FAILED",
      message: new RegExp(
        `^Kafka: .* ended with 1: \\[ERROR\\] no \\(log: ${folders.config}/format\\.log\\)\\.$`,
      ),
    });
    assert.ok(!existsSync(join(folders.data, "meta.properties")));
    await prepare();
    assert.equal(calls().length, 1);
  });

  it("runs from its jars, and ends rather than go on without memory", async () => {
    const { command, args, environment: own } = await prepare();
    assert.equal(command, join(environment["JAVA_HOME"], "bin/java"));
    assert.deepEqual(args.slice(-4), [
      "-cp",
      `${folders.program}/libs/*`,
      "kafka.Kafka",
      join(folders.config, "server.properties"),
    ]);
    assert.ok(args.includes("-XX:+ExitOnOutOfMemoryError"));
    assert.ok(args.some((arg) => /^-Xmx\d+m$/.test(arg)));
    assert.equal(own, environment);
    const logging = args.find((arg) => arg.startsWith("-Dlog4j2.configurationFile="))!.split("=")[1];
    assert.match(readFileSync(logging, "utf8"), /^rootLogger\.level=WARN$/m);
  });

  it("needs the controller's port besides", () => {
    assert.deepEqual(
      kafkaServer.morePorts(configOf("127.0.0.1:19092")).map(({ key, port }) => [key, port]),
      [["stack.kafka_controller_port", 19093]],
    );
  });
});
