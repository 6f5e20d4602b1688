import { randomUUID } from "node:crypto";
import type { Kafka, KafkaMessage } from "kafkajs";
import type { Config } from "../shared/config-schema.js";
import { parseDurationMs } from "../shared/config-schema.js";
import { MillraceError, asMillraceError, exitCodes } from "../shared/errors.js";
import { schemaIdOf } from "../shared/frame-codec.js";
import { jsonValue } from "../shared/frame-json.js";
import type { Labels } from "../shared/frame.js";
import { createKafka, runConsumer, withAdmin } from "../shared/kafka.js";
import { type Schemas, connectSchemas } from "../shared/schema-registry.js";
import { createLogger } from "../shared/telemetry.js";
import { topicName } from "../shared/topics.js";
import { checkRegistry } from "./connection-checks.js";
import { parseEntityFilter } from "./entity-filter.js";
import type { Terminal } from "./terminal.js";

export interface TailOptions {
  readonly entity?: string;
  readonly fromBeginning?: boolean;
  readonly since?: string;
  readonly limit?: number;
}

export async function runTail(
  config: Config,
  topic: string,
  options: TailOptions,
  terminal: Terminal,
): Promise<number> {
  const entity = options.entity === undefined ? null : parseEntityFilter(options.entity);
  const from = startOf(options);
  const name = withPrefix(topic, config.kafka.topic_prefix);
  const dead = name === topicName("dead", config.kafka.topic_prefix);
  const logger = createLogger("tail", "silent");
  const kafka = createKafka(config, "tail", logger, 2);
  const offsets = await startOffsets(kafka, name, from);
  await checkRegistry(config);

  // Ends when the person, the limit, or a failure says so.
  const ending = new AbortController();
  const signal = AbortSignal.any([terminal.stopping, ending.signal]);
  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    ending.abort();
  };
  const schemas = connectSchemas(config);
  const limit = options.limit ?? Infinity;
  let printed = 0;

  const groupId = `millrace.tail.${randomUUID()}`;
  const commit = (positions: { partition: number; offset: string }[]) =>
    running.consumer.commitOffsets(positions.map((position) => ({ topic: name, ...position })));
  const running = await runConsumer({
    kafka,
    groupId,
    topics: [name],
    fromBeginning: true,
    maxWaitMs: 200,
    partitionsConcurrently: 1,
    logger,
    fail,
    eachBatch: async ({ batch, heartbeat, resolve }) => {
      try {
        for (const message of batch.messages) {
          if (signal.aborted) return;
          const line = await lineOf(schemas, message, dead, entity);
          if (line !== null) {
            await terminal.print(line);
            printed += 1;
            if (printed >= limit) {
              ending.abort();
              return;
            }
          }
          resolve(message.offset);
          await heartbeat();
        }
        resolve(batch.lastOffset());
        // Only so that a consumer that must join again goes on here.
        await commit([{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }]);
      } catch (error) {
        fail(error);
      }
    },
  });
  for (const { partition, offset } of offsets) running.consumer.seek({ topic: name, partition, offset });
  await commit(offsets);
  await ended;
  await running.stop();
  await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  if (failure !== undefined && !terminal.stopping.aborted) throw asMillraceError(failure);
  return exitCodes.ok;
}

type Start = "now" | "beginning" | { sinceMs: number };

function startOf({ fromBeginning, since }: TailOptions): Start {
  if (fromBeginning === true && since !== undefined)
    throw new MillraceError("USAGE_INVALID", "--from-beginning and --since exclude each other.");
  if (fromBeginning === true) return "beginning";
  if (since === undefined) return "now";
  const sinceMs = parseDurationMs(since);
  if (sinceMs === null)
    throw new MillraceError("USAGE_INVALID", `"${since}" in --since is no duration: write 90s, 10m, 2h.`);
  return { sinceMs };
}

function withPrefix(topic: string, prefix: string): string {
  return topic.startsWith(prefix) ? topic : prefix + topic;
}

/** Rejects with KAFKA_UNAVAILABLE or KAFKA_TOPIC_MISSING. */
async function startOffsets(
  kafka: Kafka,
  topic: string,
  from: Start,
): Promise<{ partition: number; offset: string }[]> {
  return withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic))
      throw new MillraceError("KAFKA_TOPIC_MISSING", `Topic ${topic} does not exist.`);
    if (typeof from === "object") return admin.fetchTopicOffsetsByTimestamp(topic, Date.now() - from.sinceMs);
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.map(({ partition, low, high }) => ({ partition, offset: from === "now" ? high : low }));
  });
}

/** The message as a line of JSON; null where it is of another entity. Rejects as the registry does. */
async function lineOf(
  schemas: Schemas,
  message: KafkaMessage,
  dead: boolean,
  entity: Labels | null,
): Promise<string | null> {
  const value = await decoded(schemas, message.value, dead);
  if (entity !== null && !isOfEntity(value, entity)) return null;
  return JSON.stringify(dead ? envelope(message, value) : value, jsonValue);
}

async function decoded(schemas: Schemas, value: Buffer | null, dead: boolean): Promise<unknown> {
  if (value === null) return null;
  try {
    const type = await schemas.writerSchema(schemaIdOf(value));
    return type.fromBuffer(value.subarray(5)) as unknown;
  } catch (error) {
    // What is in metrics.dead may be there because nobody could read it.
    if (dead) return { base64: value.toString("base64") };
    if (error instanceof MillraceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError("MESSAGE_UNDECODABLE", `The message does not fit its schema: ${reason}.`);
  }
}

function envelope(message: KafkaMessage, value: unknown) {
  const headers = Object.entries(message.headers ?? {}).map(([name, header]) => [name, String(header)]);
  return {
    key: message.key?.toString() ?? null,
    timestamp: Number(message.timestamp),
    headers: Object.fromEntries(headers) as Record<string, string>,
    value,
  };
}

function isOfEntity(value: unknown, wanted: Labels): boolean {
  const { entity } = (value ?? {}) as { entity?: Labels };
  return entity !== undefined && Object.entries(wanted).every(([name, label]) => entity[name] === label);
}
