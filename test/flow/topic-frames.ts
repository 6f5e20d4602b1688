import type { Admin } from "kafkajs";
import type { Config } from "../../services/shared/config-schema.js";
import {
  type FrameReader,
  type WriterSchemas,
  schemaIdOf,
  wireHeader,
} from "../../services/shared/frame-codec.js";
import { createKafka, readTopic } from "../../services/shared/kafka.js";
import { connectSchemas } from "../../services/shared/schema-registry.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { type TopicId, topicName } from "../../services/shared/topics.js";

/** All frames that a topic holds now; those of a partition in order. */
export async function readFrames<Frame>(
  config: Config,
  topic: TopicId,
  createReader: (schemas: WriterSchemas) => FrameReader<Frame>,
  onFrame: (frame: Frame) => void,
): Promise<void> {
  const values: (Buffer | null)[] = [];
  const kafka = createKafka(config, "test", createLogger("test", "silent"));
  await readTopic(kafka, topicName(topic, config.kafka.topic_prefix), "earliest", (messages) => {
    for (const { value } of messages) values.push(value);
  });
  const reader = createReader(connectSchemas(config));
  await reader.prepare([...new Set(values.map(schemaIdOf))].map(wireHeader));
  for (const value of values) onFrame(reader.read(value));
}

/** The ends of all partitions, added up. */
export async function endOf(admin: Admin, { kafka }: Config, topics: readonly TopicId[]): Promise<number> {
  const ends = await Promise.all(
    topics.map((topic) => admin.fetchTopicOffsets(topicName(topic, kafka.topic_prefix))),
  );
  return ends.flat().reduce((sum, { high }) => sum + Number(high), 0);
}
