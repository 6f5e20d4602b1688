import avro from "avsc";
import type { KafkaMessage } from "kafkajs";
import type { Config } from "../../services/shared/config-schema.js";
import { createKafka, openIdempotentProducer, readTopic } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { type TopicId, schemaText, topicName } from "../../services/shared/topics.js";
import { type Range, type Samples, addSample, seriesKey } from "./samples.js";

/** The key of what the test itself puts into metrics.raw. */
export const STRANGERS_KEY = '{job="stranger"}';

/** Puts values into a partition of metrics.raw, at once. */
export async function sendRaw(
  config: Config,
  partition: number,
  values: readonly (Buffer | null)[],
): Promise<void> {
  const producer = await openIdempotentProducer(kafkaOf(config));
  const topic = topicName("raw", config.kafka.topic_prefix);
  const timestamp = Date.now();
  try {
    await producer.send(values.map((value) => ({ topic, partition, key: STRANGERS_KEY, value, timestamp })));
  } finally {
    await producer.close();
  }
}

export type TopicMessage = KafkaMessage & { readonly partition: number };

/** All of metrics.raw, each partition in its order. */
export function rawMessages(config: Config): Promise<TopicMessage[]> {
  return messagesOf(config, "raw");
}

export interface DeadLetter {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** All of metrics.dead, in its order. */
export async function deadLetters(config: Config): Promise<DeadLetter[]> {
  return (await messagesOf(config, "dead")).map(({ key, value, headers = {} }) => ({
    key: String(key),
    value,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
  }));
}

interface RawRecord {
  readonly timestamp: number;
  readonly samples: readonly {
    readonly metric: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** The samples of metrics.raw in a range, read by Avro's own library; fails where one is there twice. */
export async function sentSamples(config: Config, { from, to }: Range): Promise<Samples> {
  const type = avro.Type.forSchema(JSON.parse(schemaText("metrics.raw.avsc")) as avro.Schema);
  const found: Samples = new Map();
  for (const message of await messagesOf(config, "raw")) {
    if (isStrangers(message)) continue;
    // Behind 0x00 and the schema's id.
    const { timestamp, samples } = type.fromBuffer(message.value!.subarray(5)) as RawRecord;
    if (timestamp <= from || timestamp > to) continue;
    for (const { metric, labels, value } of samples)
      addSample(found, seriesKey(metric, labels), timestamp, value);
  }
  return found;
}

export function isStrangers({ key }: KafkaMessage): boolean {
  return key?.toString() === STRANGERS_KEY;
}

async function messagesOf(config: Config, id: TopicId): Promise<TopicMessage[]> {
  const all: TopicMessage[] = [];
  const topic = topicName(id, config.kafka.topic_prefix);
  await readTopic(kafkaOf(config), topic, "earliest", (messages, partition) => {
    for (const message of messages) all.push({ ...message, partition });
  });
  return all;
}

function kafkaOf(config: Config) {
  return createKafka(config, "test", createLogger("test", "silent"));
}
