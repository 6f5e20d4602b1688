import { fetch } from "undici";
import type { Admin, Kafka } from "kafkajs";
import type { Config } from "../shared/config-schema.js";
import { withAdmin } from "../shared/kafka.js";
import { topicName } from "../shared/topics.js";
import { parseMetricsText } from "./metrics-text.js";
import { type ServiceReading, type StageName, type SystemReading, stageNames } from "./status-report.js";

/** A service that does not answer for so long is shown as not answering. */
const ANSWER_LIMIT_MS = 2_000;

/** Reads the state of all services, and what their consumer groups have not read yet. Never rejects: what is not known is null. */
export async function readSystem(config: Config, kafka: Kafka, now: () => number): Promise<SystemReading> {
  const [services, lagMessages] = await Promise.all([
    Promise.all(stageNames.map((name) => readService(config, name))),
    withAdmin(kafka, async (admin) => {
      const [processor, sink] = await Promise.all([
        lagOf(admin, config, "processor", "raw"),
        lagOf(admin, config, "sink", "features"),
      ]);
      return { processor, sink };
    }).catch(() => ({ processor: null, sink: null })),
  ]);
  return {
    at: now(),
    services: { poller: services[0], processor: services[1], sink: services[2] },
    lagMessages,
  };
}

/** Reads /readyz and /metrics of one service. */
export async function readService(config: Config, name: StageName | "simulator"): Promise<ServiceReading> {
  const { host, ports } = config.telemetry;
  // An address that stands for all interfaces is none to connect to.
  const address = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const get = (path: string) =>
    fetch(`http://${address}:${ports[name]}${path}`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  try {
    const [readiness, metrics] = await Promise.all([get("/readyz"), get("/metrics")]);
    const { service, ready, reasons } = (await readiness.json()) as {
      service: string;
      ready: boolean;
      reasons: Record<string, string>;
    };
    if (service !== name)
      return unknown({ port: `port ${ports[name]} is held by ${service}, not by the ${name}` });
    return { ready, reasons, samples: parseMetricsText(await metrics.text()) };
  } catch {
    return unknown({ answer: `nothing answers on port ${ports[name]}` });
  }
}

function unknown(reasons: Record<string, string>): ServiceReading {
  return { ready: false, reasons, samples: [] };
}

/** Messages between what the group has committed and the end of its input. */
async function lagOf(
  admin: Admin,
  config: Config,
  stage: "processor" | "sink",
  input: "raw" | "features",
): Promise<number> {
  const prefix = config.kafka.topic_prefix;
  const topic = topicName(input, prefix);
  // First: kafkajs finds no group's coordinator before it has asked about a topic, unless it may try again.
  const ends = await admin.fetchTopicOffsets(topic);
  const groupId = `${prefix}millrace.${stage}`;
  const [{ partitions: committed }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const offsets = new Map(committed.map(({ partition, offset }) => [partition, Number(offset)]));
  let lag = 0;
  for (const { partition, low, high } of ends) {
    // -1: the group has committed nothing in this partition. Before `low`: retention has deleted what it had not read.
    const next = Math.max(offsets.get(partition) ?? -1, Number(low));
    lag += Math.max(0, Number(high) - next);
  }
  return lag;
}
