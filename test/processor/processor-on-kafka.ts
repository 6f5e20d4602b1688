import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KafkaMessage } from "kafkajs";
import type { Config } from "../../services/shared/config-schema.js";
import { encodeRawFrame, schemaIdOf, wireHeader } from "../../services/shared/frame-codec.js";
import type { FrameReader, WriterSchemas } from "../../services/shared/frame-codec.js";
import type { RawFrame } from "../../services/shared/frame.js";
import {
  type OutgoingMessage,
  createKafka,
  openIdempotentProducer,
  partitionOf,
  readTopic,
  withAdmin,
} from "../../services/shared/kafka.js";
import { connectSchemas } from "../../services/shared/schema-registry.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { type TopicId, schemaText, topicName } from "../../services/shared/topics.js";

const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));
const LOOK_INTERVAL_MS = 50;

const kafkaOf = (config: Config) => createKafka(config, "test", createLogger("test", "silent"));

/** A line of a processor's log. */
export interface LogLine {
  readonly event: string;
  readonly code?: string;
  readonly assignment?: Readonly<Record<string, readonly number[]>>;
}

/** `millrace processor` as a process of its own. */
export function startProcessorProcess(configFile: string) {
  const child = spawn(process.execPath, [main, "processor", "--config", configFile], {
    env: { PATH: process.env["PATH"] },
    // By the channel it knows when this process dies, and ends too.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const log: LogLine[] = [];
  createInterface(child.stderr!).on("line", (line) => log.push(JSON.parse(line) as LogLine));
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    log,
    /** The partitions of metrics.raw that it was last given. */
    partitions: (): readonly number[] => {
      const last = log.findLast(({ event }) => event === "consumer.assigned");
      return Object.values(last?.assignment ?? {}).flat();
    },
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    /** Resolves to the exit code; null after SIGKILL. */
    end: async (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

export type ProcessorProcess = ReturnType<typeof startProcessorProcess>;

/** Writes to metrics.raw as the poller does, and remembers what of it each partition holds. */
export async function openRawTopic(config: Config) {
  const topic = topicName("raw", config.kafka.topic_prefix);
  const { partitions } = config.kafka;
  const schemaId = await connectSchemas(config).register("raw", schemaText("metrics.raw.avsc"));
  const producer = await openIdempotentProducer(kafkaOf(config));
  /** By partition what stands at each offset; null where it is no frame. */
  const sent: (RawFrame | null)[][] = Array.from({ length: partitions }, () => []);
  const send = async (messages: readonly OutgoingMessage[], frames: readonly (RawFrame | null)[]) => {
    await producer.send(messages);
    messages.forEach(({ partition }, i) => sent[partition].push(frames[i]));
  };
  return {
    sent,
    sendFrames: (frames: readonly RawFrame[]) =>
      send(
        frames.map((frame) => ({
          topic,
          partition: partitionOf(frame.entity.key, partitions),
          key: frame.entity.key,
          value: encodeRawFrame(schemaId, frame),
          timestamp: frame.timestamp,
        })),
        frames,
      ),
    sendBytes: (partition: number, key: string, value: Buffer, timestamp: number) =>
      send([{ topic, partition, key, value, timestamp }], [null]),
    close: producer.close,
  };
}

/** Waits until what the processor has not committed yet of each partition, in messages, will do. Fails with what was last seen. */
export async function untilBehind(
  config: Config,
  sent: readonly (readonly unknown[])[],
  willDo: (messages: number) => boolean,
  limitMs = 60_000,
): Promise<void> {
  const topic = topicName("raw", config.kafka.topic_prefix);
  const groupId = `${config.kafka.topic_prefix}millrace.processor`;
  await withAdmin(kafkaOf(config), (admin) =>
    waitFor(
      "the processor's lag",
      async () => {
        const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return sent.map((messages, partition) => {
          const committed = Number(partitions.find((entry) => entry.partition === partition)?.offset ?? 0);
          return messages.length - Math.max(0, committed);
        });
      },
      (behind) => behind.every(willDo),
      limitMs,
    ),
  );
}

/** Waits until the processor has committed all that metrics.raw holds. */
export async function untilProcessed(
  config: Config,
  sent: readonly (readonly unknown[])[],
  limitMs?: number,
): Promise<void> {
  await untilBehind(config, sent, (messages) => messages <= 0, limitMs);
}

/** The committed messages of a topic, those of a partition in order. */
export async function messagesOf(
  config: Config,
  topic: TopicId,
): Promise<(KafkaMessage & { partition: number })[]> {
  const all: (KafkaMessage & { partition: number })[] = [];
  await readTopic(
    kafkaOf(config),
    topicName(topic, config.kafka.topic_prefix),
    "earliest",
    (messages, partition) => {
      for (const message of messages) all.push({ ...message, partition });
    },
  );
  return all;
}

/** The frames of a topic, those of a partition in order. */
export async function framesOf<Frame>(
  config: Config,
  topic: TopicId,
  createReader: (schemas: WriterSchemas) => FrameReader<Frame>,
): Promise<(Frame & { partition: number })[]> {
  const messages = await messagesOf(config, topic);
  const reader = createReader(connectSchemas(config));
  await reader.prepare([...new Set(messages.map(({ value }) => schemaIdOf(value)))].map(wireHeader));
  return messages.map(({ value, partition }) => ({ ...reader.read(value), partition }));
}

/** Looks until what is seen will do; fails with what was last seen. */
export async function waitFor<Seen>(
  what: string,
  look: () => Seen | Promise<Seen>,
  willDo: (seen: Seen) => boolean,
  limitMs: number,
): Promise<Seen> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (willDo(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${limitMs / 1000} s; last seen: ${JSON.stringify(seen)}`);
    await sleep(LOOK_INTERVAL_MS);
  }
}
