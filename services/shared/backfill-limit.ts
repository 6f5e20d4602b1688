import type { Kafka } from "kafkajs";
import type { Config } from "./config-schema.js";
import { topicSetting } from "./kafka.js";
import { topicName } from "./topics.js";

/**
 * The oldest event time that may be backfilled at `now`, milliseconds since the epoch; -Infinity where nothing is too old.
 * Kafka's record timestamp is the event time and its retention goes by it, so a sample older than that may be deleted before
 * it is processed. Asked of the topics themselves, since whoever raises their retention may backfill more. A timestamp by the
 * time of writing would keep such samples longer, but no place could be found by event time any more, which recovery,
 * replay and backfill all rest on; and a longer retention for all is for whoever pays for the disks to choose.
 * Rejects with KAFKA_UNAVAILABLE.
 */
export async function oldestBackfill(kafka: Kafka, config: Config, now: number): Promise<number> {
  const names = (["raw", "features"] as const).map((id) => topicName(id, config.kafka.topic_prefix));
  const retentions = (await topicSetting(kafka, names, "retention.ms")).map(Number);
  const limited = retentions.filter((retentionMs) => retentionMs >= 0);
  return limited.length === 0
    ? -Infinity
    : now - Math.min(...limited) + config.extract.backfill.retention_margin;
}
