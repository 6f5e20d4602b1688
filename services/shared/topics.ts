import { readFileSync } from "node:fs";

/**
 * The topics, in one table: docker-compose.yml, the Helm chart and the README are held to it by tests.
 * Kafka's record timestamp is the event time in every metrics topic.
 */
export interface TopicDefinition {
  readonly name: string;
  /** What the record key is. */
  readonly key: "entity" | "source" | "original key" | "request";
  /** The file in schemas/; metrics.features is compiled from the configuration, metrics.dead carries original bytes. */
  readonly schema: string | null;
  readonly cleanup: "delete" | "compact" | "compact,delete";
  readonly retentionMs: number;
  /** `entity`: kafka.partitions of the configuration; `single`: one, since order over all keys matters or volume is small. */
  readonly partitions: "entity" | "single";
  readonly writers: readonly ("poller" | "processor" | "sink" | "orchestrator" | "cli")[];
}

const DAY_MS = 86_400_000;

export const topics = {
  raw: {
    name: "metrics.raw",
    key: "entity",
    schema: "metrics.raw.avsc",
    cleanup: "delete",
    retentionMs: 30 * DAY_MS,
    partitions: "entity",
    writers: ["poller"],
  },
  clean: {
    name: "metrics.clean",
    key: "entity",
    schema: "metrics.clean.avsc",
    cleanup: "delete",
    retentionMs: 7 * DAY_MS,
    partitions: "entity",
    writers: ["processor"],
  },
  features: {
    name: "metrics.features",
    key: "entity",
    schema: null,
    cleanup: "delete",
    retentionMs: 30 * DAY_MS,
    partitions: "entity",
    writers: ["processor"],
  },
  quality: {
    name: "metrics.quality",
    key: "entity",
    schema: "metrics.quality.avsc",
    cleanup: "delete",
    retentionMs: 30 * DAY_MS,
    partitions: "entity",
    writers: ["processor"],
  },
  dead: {
    name: "metrics.dead",
    key: "original key",
    schema: null,
    cleanup: "delete",
    retentionMs: 90 * DAY_MS,
    partitions: "single",
    writers: ["poller", "processor", "sink"],
  },
  backfill: {
    name: "backfill.requests",
    key: "request",
    schema: "backfill.requests.avsc",
    cleanup: "compact,delete",
    retentionMs: 30 * DAY_MS,
    partitions: "single",
    writers: ["poller", "sink", "processor", "orchestrator", "cli"],
  },
  state: {
    name: "pipeline.state",
    key: "source",
    schema: "pipeline.state.avsc",
    cleanup: "compact",
    retentionMs: -1,
    partitions: "single",
    writers: ["poller", "sink", "orchestrator"],
  },
} as const satisfies Record<string, TopicDefinition>;

export type TopicId = keyof typeof topics;

/** The name that a topic has under a configuration's prefix. */
export function topicName(id: TopicId, prefix: string): string {
  return prefix + topics[id].name;
}

/** The number of partitions that a topic is created with. */
export function partitionCount(id: TopicId, entityPartitions: number): number {
  return topics[id].partitions === "entity" ? entityPartitions : 1;
}

/** Only closed segments are compacted, and by default one stays open for a week: services read such topics when they start. */
const COMPACTED_SEGMENT_MS = 3_600_000;

/**
 * Brokers refuse records more than an hour ahead of their clock unless told otherwise, whoever waits then waits for ever. What
 * a timestamp in the future means is for the processor to judge, and to tell.
 */
const ANY_TIME_MS = "9223372036854775807";

/** Kafka's settings of a topic. */
export function topicSettings(id: TopicId): Record<string, string> {
  const { cleanup, retentionMs } = topics[id];
  return {
    "cleanup.policy": cleanup,
    "retention.ms": String(retentionMs),
    "message.timestamp.after.max.ms": ANY_TIME_MS,
    ...(cleanup === "delete" ? {} : { "segment.ms": String(COMPACTED_SEGMENT_MS) }),
  };
}

/** The text of a schema file, found beside services/ whether the code runs compiled or not. */
export function schemaText(file: string): string {
  return readFileSync(new URL(`../../../schemas/${file}`, import.meta.url), "utf8");
}
