import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Batch, type Consumer, type Kafka, type KafkaMessage, type Producer } from "kafkajs";
import { readSecret } from "./config.js";
import type { Config } from "./config-schema.js";
import { MillraceError } from "./errors.js";
import type { Logger } from "./telemetry.js";
import { type TopicId, partitionCount, topicName, topicSettings, topics } from "./topics.js";

/**
 * The one place that knows kafkajs, so that another client could take its place. Its traps, each handled here:
 * no fencing by generation, transactions that cannot be ended after an error, sequences reused after a time-out,
 * owners that do not know they were replaced, empty ends of transactional partitions, consumers that stop for good.
 */

const { CompressionTypes, Kafka: KafkaClient, PartitionAssigners, logLevel } = kafkajs;

/** Values above this many bytes in one transaction's request are sent in several: a request is one record batch a partition. */
const MAX_REQUEST_BYTES = 900_000;
/** New topics have leaders within a second, but for a cluster in trouble. */
const TOPIC_CREATION_LIMIT_MS = 30_000;
const TOPIC_CREATION_POLL_MS = 50;
/** A transaction that its producer left open is aborted by the broker after this. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** A consumer that is not heard of for so long loses its partitions. */
const SESSION_TIMEOUT_MS = 30_000;
const HEARTBEAT_INTERVAL_MS = 3_000;
/** Fetch limits: memory is at most this times the partitions that are processed side by side, and decompression on top. */
const MAX_FETCH_BYTES_PER_PARTITION = 1_048_576;
const MAX_FETCH_BYTES = 10_485_760;

/** `retries`: how often a request is tried again; fewer where a person waits for the answer. */
export function createKafka(config: Config, clientId: string, logger: Logger, retries = 8): Kafka {
  const { brokers, tls, sasl } = config.kafka;
  return new KafkaClient({
    clientId: `millrace-${clientId}`,
    brokers,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries },
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            ...(tls.ca_file === undefined ? {} : { ca: readFileSync(tls.ca_file) }),
            ...(tls.cert_file === undefined ? {} : { cert: readFileSync(tls.cert_file) }),
            ...(tls.key_file === undefined ? {} : { key: readFileSync(tls.key_file) }),
          },
        }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: readSecret(sasl.password_file),
          } as never,
        }),
    logLevel: logLevel.WARN,
    // What kafkajs calls an error it mostly retries; whether one matters is decided, and logged, by who called.
    logCreator: () => (entry) => {
      const { message, ...details } = entry.log;
      delete (details as { timestamp?: unknown }).timestamp;
      delete (details as { logger?: unknown }).logger;
      logger.debug({ event: "kafka.client", namespace: entry.namespace, details }, message);
    },
  });
}

/** The partition of a key, as Java's default partitioner has it: murmur2 of the key's bytes, made positive. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fff_ffff) % partitions;
}

/** Source: org.apache.kafka.common.utils.Utils.murmur2 (seed 0x9747b28c), 32-bit arithmetic. */
function murmur2(data: Buffer): number {
  const m = 0x5bd1e995;
  const { length } = data;
  let h = 0x9747b28c ^ length;
  const words = length >> 2;
  for (let i = 0; i < words; i++) {
    let k = Math.imul(data.readInt32LE(i * 4), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const tail = words * 4;
  const rest = length & 3;
  for (let i = rest - 1; i >= 0; i--) h ^= data[tail + i] << (8 * i);
  if (rest > 0) h = Math.imul(h, m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

/** Creates the topics that are missing. Resolves to their names. Rejects with KAFKA_UNAVAILABLE. */
export async function createTopics(kafka: Kafka, config: Config): Promise<string[]> {
  const { topic_prefix, partitions, replication_factor } = config.kafka;
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = (Object.keys(topics) as TopicId[]).filter(
      (id) => !existing.has(topicName(id, topic_prefix)),
    );
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: false,
        topics: missing.map((id) => ({
          topic: topicName(id, topic_prefix),
          numPartitions: partitionCount(id, partitions),
          replicationFactor: replication_factor,
          configEntries: Object.entries(topicSettings(id)).map(([name, value]) => ({ name, value })),
        })),
      });
      await untilLed(
        admin,
        missing.map((id) => topicName(id, topic_prefix)),
      );
    }
    return missing.map((id) => topicName(id, topic_prefix));
  });
}

/** kafkajs's own waiting fails where a broker does not know a topic yet that the controller has just created. */
async function untilLed(admin: Admin, names: string[]): Promise<void> {
  const deadline = Date.now() + TOPIC_CREATION_LIMIT_MS;
  while (true) {
    try {
      await admin.fetchTopicMetadata({ topics: names });
      return;
    } catch (error) {
      const { type } = error as { type?: string };
      const isOnItsWay = type === "UNKNOWN_TOPIC_OR_PARTITION" || type === "LEADER_NOT_AVAILABLE";
      if (!isOnItsWay || Date.now() > deadline) throw error;
      await sleep(TOPIC_CREATION_POLL_MS);
    }
  }
}

type Admin = ReturnType<Kafka["admin"]>;

/** Runs something with an admin client, and closes that. Rejects with KAFKA_UNAVAILABLE. */
export async function withAdmin<Result>(
  kafka: Kafka,
  use: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** How many partitions a topic has. Rejects with KAFKA_TOPIC_MISSING. */
export async function partitionsOf(kafka: Kafka, topic: string): Promise<number> {
  return withAdmin(kafka, async (admin) => {
    const existing = await admin.listTopics();
    if (!existing.includes(topic))
      throw new MillraceError("KAFKA_TOPIC_MISSING", `Topic ${topic} does not exist.`);
    const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [topic] });
    return metadata[0].partitions.length;
  });
}

/** kafkajs's errors as ours. */
export function asKafkaError(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const error = thrown as Error & { type?: string };
  const fenced = [
    "INVALID_PRODUCER_EPOCH",
    "PRODUCER_FENCED",
    "INVALID_TXN_STATE",
    "INVALID_PRODUCER_ID_MAPPING",
  ];
  if (error.type !== undefined && fenced.includes(error.type)) {
    return new MillraceError("KAFKA_FENCED", `${error.message}.`, { cause: error });
  }
  if (error.type === "UNKNOWN_TOPIC_OR_PARTITION") {
    return new MillraceError("KAFKA_TOPIC_MISSING", `${error.message}.`, { cause: error });
  }
  return new MillraceError("KAFKA_UNAVAILABLE", `Kafka: ${error.message}.`, { cause: error });
}

export interface OutgoingMessage {
  topic: string;
  partition: number;
  key: string | Buffer | null;
  value: Buffer | null;
  /** Kafka's record timestamp, milliseconds since the epoch: the event time in the metrics topics. */
  timestamp: number;
  headers?: Record<string, string>;
}

/** Where a group's reading of an input partition has got to: the offset to read next. */
export interface ConsumedOffset {
  groupId: string;
  topic: string;
  partition: number;
  offset: string;
  metadata?: string;
}

export interface TransactionalProducer {
  /**
   * Sends all messages, and the offset where given, in one transaction. One at a time. After a rejection the outcome is
   * unknown and the producer of no more use: close it, open another with the same id (that fences this one and settles
   * its transaction), read what was committed, and go on from there.
   */
  readonly commit: (messages: readonly OutgoingMessage[], consumed?: ConsumedOffset) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opening fences every earlier producer of this id and settles what it left open. Rejects with KAFKA_UNAVAILABLE. */
export async function openTransactionalProducer(
  kafka: Kafka,
  transactionalId: string,
  logger: Logger,
): Promise<TransactionalProducer> {
  const producer = openProducer(kafka, {
    transactionalId,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    // A connection's first request after an idle time may find it closed; more retries only delay what the caller must do.
    retry: { retries: 2, initialRetryTime: 50 },
  });
  try {
    await producer.connect();
    // kafkajs takes the id over, and settles what was left open, with the first transaction and not before.
    await (await producer.transaction()).abort();
  } catch (error) {
    await producer.disconnect().catch(() => undefined);
    throw asKafkaError(error);
  }
  let broken = false;
  return {
    commit: async (messages, consumed) => {
      if (broken)
        throw new MillraceError("INTERNAL", `Producer ${transactionalId} was used after a failure.`);
      try {
        const transaction = await producer.transaction();
        for (const topicMessages of requestsOf(messages)) {
          await transaction.sendBatch({ topicMessages, acks: -1, compression: CompressionTypes.GZIP });
        }
        if (consumed !== undefined) {
          const { groupId, topic, partition, offset, metadata } = consumed;
          const partitions = [{ partition, offset, ...(metadata === undefined ? {} : { metadata }) }];
          await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions }] });
        }
        await transaction.commit();
      } catch (error) {
        broken = true;
        const failure = asKafkaError(error);
        logger.warn({ event: "transaction.failed", transactionalId, code: failure.code }, failure.message);
        throw failure;
      }
    },
    close: () => producer.disconnect().catch(() => undefined),
  };
}

export interface IdempotentProducer {
  /** Sends all messages, acknowledged by all replicas. One at a time; after a rejection of no more use, like a transaction. */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** For what needs no transaction: dead letters, and outputs where delivery is at_least_once. */
export async function openIdempotentProducer(kafka: Kafka): Promise<IdempotentProducer> {
  const producer = openProducer(kafka, { retry: { retries: 2, initialRetryTime: 50 } });
  try {
    await producer.connect();
  } catch (error) {
    throw asKafkaError(error);
  }
  return {
    send: async (messages) => {
      try {
        for (const topicMessages of requestsOf(messages)) {
          await producer.sendBatch({ topicMessages, acks: -1, compression: CompressionTypes.GZIP });
        }
      } catch (error) {
        throw asKafkaError(error);
      }
    },
    close: () => producer.disconnect().catch(() => undefined),
  };
}

function openProducer(kafka: Kafka, options: Parameters<Kafka["producer"]>[0]): Producer {
  return kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // Every message names its partition.
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
    ...options,
  });
}

/** Requests of messages by topic, each under MAX_REQUEST_BYTES unless one message alone is above. Order is kept. */
function requestsOf(messages: readonly OutgoingMessage[]) {
  const requests: { topic: string; messages: ReturnType<typeof kafkaMessage>[] }[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const size = (message.value?.length ?? 0) + (message.key?.length ?? 0) + 100;
    if (bytes + size > MAX_REQUEST_BYTES) {
      requests.push([]);
      bytes = 0;
    }
    bytes += size;
    const request = requests[requests.length - 1];
    let ofTopic = request.find(({ topic }) => topic === message.topic);
    if (ofTopic === undefined) request.push((ofTopic = { topic: message.topic, messages: [] }));
    ofTopic.messages.push(kafkaMessage(message));
  }
  return requests;
}

function kafkaMessage({ key, value, partition, timestamp, headers }: OutgoingMessage) {
  return {
    key,
    value,
    partition,
    timestamp: String(timestamp),
    ...(headers === undefined ? {} : { headers }),
  };
}

export interface BatchContext {
  readonly batch: Batch;
  /** Counts the assignments of this consumer: state of another epoch may have had another owner since. */
  readonly epoch: number;
  /** Whether the partition is still this consumer's. To be asked before everything that another owner would do too. */
  readonly isCurrent: () => boolean;
  /** Keeps the assignment during long work. Rejects when the group rebalances; let that through. */
  readonly heartbeat: () => Promise<void>;
  /** Moves the position past this offset. */
  readonly resolve: (offset: string) => void;
  /** Commits the offset to be read next, outside of any transaction. */
  readonly commit: (offset: string, metadata?: string) => Promise<void>;
  /** Reads this partition from another offset; the rest of the batch must not be resolved. */
  readonly seek: (offset: string) => void;
}

export interface RunningConsumer {
  readonly consumer: Consumer;
  readonly stop: () => Promise<void>;
}

export interface ConsumerOptions {
  kafka: Kafka;
  groupId: string;
  topics: string[];
  fromBeginning: boolean;
  /** How long a fetch waits for data: what an idle consumer's latency may grow by, at the most. */
  maxWaitMs: number;
  partitionsConcurrently: number;
  eachBatch: (context: BatchContext) => Promise<void>;
  /** Told of every assignment, when no batch is under way: what is kept of other partitions has no use any more. */
  onAssigned?: (assigned: ReadonlyMap<string, ReadonlySet<number>>) => void;
  logger: Logger;
  /** Called when the consumer has stopped for good. */
  fail: (error: unknown) => void;
}

/** Consumes committed messages; offsets are committed by `eachBatch` itself. Rejects with KAFKA_UNAVAILABLE. */
export async function runConsumer(options: ConsumerOptions): Promise<RunningConsumer> {
  const { kafka, groupId, logger } = options;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
    maxWaitTimeInMs: options.maxWaitMs,
    maxBytesPerPartition: MAX_FETCH_BYTES_PER_PARTITION,
    maxBytes: MAX_FETCH_BYTES,
    allowAutoTopicCreation: false,
    partitionAssigners: [PartitionAssigners.roundRobin],
  });

  let epoch = 0;
  let assigned = new Map<string, Set<number>>();
  consumer.on("consumer.group_join", ({ payload }) => {
    epoch += 1;
    assigned = new Map(
      Object.entries(payload.memberAssignment).map(([topic, list]) => [topic, new Set(list)]),
    );
    logger.info({ event: "consumer.assigned", groupId, assignment: payload.memberAssignment });
    options.onAssigned?.(assigned);
  });
  consumer.on("consumer.rebalancing", () => {
    epoch += 1;
    assigned = new Map();
  });
  consumer.on("consumer.crash", ({ payload }) => {
    const error = asKafkaError(payload.error);
    logger.warn(
      { event: "consumer.crashed", groupId, code: error.code, restarts: payload.restart },
      error.message,
    );
    // An error that eachBatch threw on purpose is told as it is; kafkajs wraps it when it gives up retrying.
    if (!payload.restart) options.fail(originOf(payload.error));
  });

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: options.topics, fromBeginning: options.fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.partitionsConcurrently,
      eachBatch: async (payload) => {
        const { batch } = payload;
        const { topic, partition } = batch;
        const epochOfBatch = epoch;
        await options.eachBatch({
          batch,
          epoch: epochOfBatch,
          isCurrent: () => epoch === epochOfBatch && assigned.get(topic)?.has(partition) === true,
          heartbeat: () => payload.heartbeat(),
          resolve: (offset) => payload.resolveOffset(offset),
          commit: (offset, metadata) =>
            consumer.commitOffsets([{ topic, partition, offset, metadata: metadata ?? null }]),
          seek: (offset) => consumer.seek({ topic, partition, offset }),
        });
      },
    });
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw asKafkaError(error);
  }
  return { consumer, stop: () => consumer.disconnect() };
}

function originOf(error: Error): unknown {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof MillraceError) return cause;
  return error instanceof MillraceError ? error : asKafkaError(error);
}

export type ReadFrom = "earliest" | { timestampMs: number };

/**
 * Reads a topic from a place to the end that it has now, committed messages only, outside of any lasting group.
 * Messages of a partition come in order. Rejects with KAFKA_UNAVAILABLE, or the signal's reason.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  from: ReadFrom,
  onMessages: (messages: KafkaMessage[], partition: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const starts = new Map<number, string>();
  if (from === "earliest") {
    for (const { partition, low } of ends) starts.set(partition, low);
  } else {
    const found = await withAdmin(kafka, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, from.timestampMs),
    );
    for (const { partition, offset } of found) starts.set(partition, offset);
  }
  const remaining = new Map<number, bigint>();
  for (const { partition, high } of ends) {
    const start = BigInt(starts.get(partition) ?? high);
    if (start >= 0n && start < BigInt(high)) remaining.set(partition, BigInt(high));
  }
  if (remaining.size === 0) return;

  const groupId = `millrace.reader.${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject: (error: unknown) => void) => {
      const onAbort = () => reject(signal?.reason as Error);
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const finishPartition = (partition: number, next: bigint) => {
        const end = remaining.get(partition);
        if (end === undefined || next < end) return;
        remaining.delete(partition);
        if (remaining.size === 0) resolve();
      };
      consumer.on("consumer.crash", ({ payload }) => {
        if (!payload.restart) reject(asKafkaError(payload.error));
      });
      // A batch of nothing but aborted messages and control records never reaches eachBatch, so its end is seen here.
      consumer.on("consumer.end_batch_process", ({ payload }) => {
        finishPartition(payload.partition, BigInt(payload.lastOffset) + 1n);
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            const end = remaining.get(batch.partition);
            if (end !== undefined) {
              const wanted = batch.messages.filter(({ offset }) => BigInt(offset) < end);
              if (wanted.length > 0) onMessages(wanted, batch.partition);
            }
            return Promise.resolve();
          },
        })
        .then(() => {
          for (const { partition, high } of ends) {
            consumer.seek({
              topic,
              partition,
              offset: remaining.has(partition) ? starts.get(partition)! : high,
            });
          }
        }, reject);
    });
  } catch (error) {
    throw signal?.aborted === true ? error : asKafkaError(error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
}
