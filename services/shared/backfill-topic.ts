import { randomUUID } from "node:crypto";
import type { Kafka, KafkaMessage } from "kafkajs";
import { type BackfillTable, createRecordReader } from "./backfill-request.js";
import { isForeign } from "./frame-codec.js";
import { readTopic, runConsumer, withAdmin } from "./kafka.js";
import type { Schemas } from "./schema-registry.js";
import type { Logger } from "./telemetry.js";

/** How long a fetch waits for a record: what a new request waits until it is seen, at the most. */
const MAX_WAIT_MS = 500;

interface RequestsTopic {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly schemas: Schemas;
  readonly logger: Logger;
}

/** Applies all that backfill.requests holds now. Rejects as readTopic and the registry do. */
export async function readRequests(
  table: BackfillTable,
  from: RequestsTopic,
  signal: AbortSignal,
): Promise<void> {
  const apply = applyTo(table, from);
  const messages: KafkaMessage[] = [];
  await readTopic(from.kafka, from.topic, "earliest", (some) => messages.push(...some), signal);
  for (const message of messages) await apply(message);
}

/**
 * Applies whatever is written from now on, and what was there before again. Resolves to what ends it.
 * `fail` is told where it can do no more. Rejects with KAFKA_UNAVAILABLE.
 */
export async function followRequests(
  table: BackfillTable,
  from: RequestsTopic,
  fail: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const apply = applyTo(table, from);
  // Whoever follows sees everything: a group is one follower, and goes with it.
  const groupId = `millrace.backfill.${randomUUID()}`;
  const running = await runConsumer({
    kafka: from.kafka,
    groupId,
    topics: [from.topic],
    fromBeginning: true,
    maxWaitMs: MAX_WAIT_MS,
    partitionsConcurrently: 1,
    logger: from.logger,
    fail,
    eachBatch: async ({ batch, resolve, heartbeat, commit }) => {
      for (const message of batch.messages) await apply(message);
      resolve(batch.lastOffset());
      await heartbeat();
      // Only so that it goes on here where it must join again.
      await commit(String(BigInt(batch.lastOffset()) + 1n));
    },
  });
  return async () => {
    await running.stop();
    await withAdmin(from.kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  };
}

/** What is no record of ours is somebody else's, told of and passed over. */
function applyTo(table: BackfillTable, { schemas, logger }: RequestsTopic) {
  const read = createRecordReader(schemas);
  return async ({ value, offset }: KafkaMessage): Promise<void> => {
    if (value === null) return;
    try {
      table.apply(await read(value));
    } catch (error) {
      if (!isForeign(error)) throw error;
      logger.warn({ event: "backfill.undecodable", offset, code: error.code }, error.message);
    }
  };
}
