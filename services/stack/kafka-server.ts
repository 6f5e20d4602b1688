import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Config } from "../shared/config-schema.js";
import { KAFKA_JAVA_VERSION } from "./acquire-kafka.js";
import { requireJava } from "./find-tool.js";
import { addressText, bindHost, isListening } from "./probe.js";
import { probeKafka } from "./probe-kafka.js";
import { runTool } from "./run-tool.js";
import type { Address, Probe, ServerDefinition } from "./server-definition.js";

/** One process, broker and controller (KRaft). */
export const kafkaServer: ServerDefinition = {
  name: "kafka",
  addressKey: "kafka.brokers",
  address: (config) => brokerAddress(config.kafka.brokers[0]),
  morePorts: ({ stack }) => [
    {
      key: "stack.kafka_controller_port",
      port: stack.kafka_controller_port,
      purpose: "the controller of Kafka",
    },
  ],
  needs: [],
  probe: probeBrokers,
  prepareLaunch: async (config, folders, environment, signal) => {
    const java = requireJava(KAFKA_JAVA_VERSION, "Kafka", environment).program;
    const properties = join(folders.config, "server.properties");
    const logging = join(folders.config, "log4j2.properties");
    const cwd = dirname(folders.data);
    writeFileSync(properties, serverProperties(config, basename(folders.data)));
    writeFileSync(logging, log4jProperties);
    const classPath = ["-cp", `${folders.program}/libs/*`];
    const options = [`-Dlog4j2.configurationFile=${logging}`, "-XX:+UseSerialGC"];
    if (!existsSync(join(folders.data, "meta.properties"))) {
      await runTool({
        command: java,
        args: [
          ...options,
          "-XX:TieredStopAtLevel=1",
          ...classPath,
          "kafka.tools.StorageTool",
          "format",
          "-t",
          newClusterId(),
          "-c",
          properties,
        ],
        purpose: "Kafka",
        cwd,
        environment,
        logFile: join(folders.config, "format.log"),
        onLine: () => undefined,
        signal,
      });
    }
    return {
      command: java,
      args: ["-Xms256m", "-Xmx768m", ...heapOptions, ...options, ...classPath, "kafka.Kafka", properties],
      cwd,
      environment,
    };
  },
};

const heapOptions = ["-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"];

async function probeBrokers({ kafka }: Config): Promise<Probe> {
  // Behind TLS or SASL is no Kafka of ours; the services have the credentials.
  const isSecured = kafka.tls !== undefined || kafka.sasl !== undefined;
  const probes = await Promise.all(
    kafka.brokers.map(brokerAddress).map(async (address): Promise<Probe> => {
      if (!isSecured) return probeKafka(address);
      return (await isListening(address)) ? "ready" : "absent";
    }),
  );
  const best = (["ready", "starting", "other"] as const).find((probe) => probes.includes(probe));
  return best ?? "absent";
}

function brokerAddress(broker: string): Address {
  const separator = broker.lastIndexOf(":");
  const host = broker.slice(0, separator).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(broker.slice(separator + 1)) };
}

/** 16 random bytes as Kafka writes them; its own tool refuses a leading hyphen, too, which would look like an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}

/** `data` is a plain name: Kafka splits what it is given at commas, and reads it as Latin-1. */
function serverProperties(config: Config, data: string): string {
  const { host, port } = brokerAddress(config.kafka.brokers[0]);
  const broker = addressText({ host: bindHost(host), port });
  const controller = `127.0.0.1:${config.stack.kafka_controller_port}`;
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://${broker},CONTROLLER://${controller}
advertised.listeners=PLAINTEXT://${broker}
log.dirs=${data}
# Topics are created with the settings of services/shared/topics.ts, or not at all.
auto.create.topics.enable=false
# Records bear event times, which may be old: retention looks for them once a start is well over, and not half a minute later.
log.initial.task.delay.ms=600000
# One broker, so one replica of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# 50 each by default, which only takes time at every start.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
# No waiting for more consumers of a new group.
group.initial.rebalance.delay.ms=0
`;
}

const log4jProperties = `rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server
logger.server.level=INFO
logger.configuration.name=kafka.server.KafkaConfig
logger.configuration.level=WARN
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %c{1}: %m%n
`;
