import type { Admin } from "kafkajs";
import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import { createKafka, createTopics, withAdmin } from "../shared/kafka.js";
import { createLogger } from "../shared/telemetry.js";
import { type TopicDefinition, type TopicId, partitionCount, topicName, topics } from "../shared/topics.js";
import { durationText } from "./quantities.js";
import type { Terminal } from "./terminal.js";
import { textTable } from "./text-table.js";

export interface TopicState {
  /** With the configuration's prefix. */
  readonly name: string;
  readonly key: string;
  readonly cleanup: TopicDefinition["cleanup"];
  /** -1: for ever. */
  readonly retentionMs: number;
  /** Those that it has, or would be created with. */
  readonly partitions: number;
  readonly exists: boolean;
}

export async function runTopics(
  config: Config,
  options: { create?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const kafka = createKafka(config, "topics", createLogger("topics", "silent"), 1);
  const created = options.create === true ? await createTopics(kafka, config) : [];
  const states = await withAdmin(kafka, (admin) => readTopicStates(admin, config));
  if (options.json === true) await terminal.print(JSON.stringify({ topics: states }, null, 2));
  else for (const line of topicsView(states, created)) await terminal.print(line);
  return exitCodes.ok;
}

export async function readTopicStates(admin: Admin, config: Config): Promise<TopicState[]> {
  const { topic_prefix, partitions } = config.kafka;
  const ids = Object.keys(topics) as TopicId[];
  const listed = new Set(await admin.listTopics());
  const existing = ids.map((id) => topicName(id, topic_prefix)).filter((name) => listed.has(name));
  const metadata = existing.length === 0 ? [] : (await admin.fetchTopicMetadata({ topics: existing })).topics;
  const counts = new Map(metadata.map((topic) => [topic.name, topic.partitions.length]));
  return ids.map((id) => {
    const name = topicName(id, topic_prefix);
    const { key, cleanup, retentionMs } = topics[id];
    return {
      name,
      key,
      cleanup,
      retentionMs,
      partitions: counts.get(name) ?? partitionCount(id, partitions),
      exists: counts.has(name),
    };
  });
}

export function topicsView(states: readonly TopicState[], created: readonly string[]): string[] {
  return textTable(
    [
      { title: "TOPIC" },
      { title: "KEY" },
      { title: "CLEANUP" },
      { title: "RETENTION", align: "right" },
      { title: "PARTITIONS", align: "right" },
      { title: "EXISTS" },
    ],
    states.map(({ name, key, cleanup, retentionMs, partitions, exists }) => [
      name,
      key,
      cleanup,
      retentionMs < 0 ? "for ever" : durationText(retentionMs),
      String(partitions),
      created.includes(name) ? "created" : exists ? "yes" : "no",
    ]),
  );
}
