import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, {
  type Batch,
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type KafkaMessage,
  type Producer,
} from "kafkajs";
import { readSecret } from "./config.js";
import type { Config } from "./config-schema.js";
import { MillraceError, asMillraceError } from "./errors.js";
import type { Logger } from "./telemetry.js";
import { type TopicId, partitionCount, topicName, topicSettings, topics } from "./topics.js";

/**
 * The one place that knows kafkajs, so that another client could take its place. Its traps, each handled here:
 * no fencing by generation, transactions that cannot be ended after an error, sequences reused after a time-out,
 * owners that do not know they were replaced, empty ends of transactional partitions, consumers that stop for good.
 */

const { CompressionTypes, ConfigResourceTypes, Kafka: KafkaClient, PartitionAssigners, logLevel } = kafkajs;

/** Values above this many bytes in one transaction's request are sent in several: a request is one record batch a partition. */
const MAX_REQUEST_BYTES = 900_000;
/** New topics have leaders within a second, but for a cluster in trouble. */
const TOPIC_CREATION_LIMIT_MS = 30_000;
const TOPIC_CREATION_POLL_MS = 50;
/** A transaction that its producer left open is aborted by the broker after this. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/**
 * A consumer that is not heard of for so long loses its partitions: what the group stands still when one is killed, since
 * whoever comes in its place must wait for that. Heartbeats pause for 10 s at the most, while something is tried again.
 */
const SESSION_TIMEOUT_MS = 15_000;
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

/**
 * kafkajs's own waiting fails where a broker does not know a topic yet that the controller has just created; and a broker
 * tells of a topic before it leads it.
 */
async function untilLed(admin: Admin, names: string[]): Promise<void> {
  const onItsWay = ["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION"];
  const deadline = Date.now() + TOPIC_CREATION_LIMIT_MS;
  while (true) {
    try {
      await admin.fetchTopicMetadata({ topics: names });
      for (const name of names) await admin.fetchTopicOffsets(name);
      return;
    } catch (error) {
      const { type = "" } = error as { type?: string };
      if (!onItsWay.includes(type) || Date.now() > deadline) throw error;
      await sleep(TOPIC_CREATION_POLL_MS);
    }
  }
}

type Admin = ReturnType<Kafka["admin"]>;

/**
 * Runs something with an admin client, and closes that. A topic's end is for it where the first transaction that is under way
 * begins, unless `readUncommitted`. Rejects with KAFKA_UNAVAILABLE.
 */
export async function withAdmin<Result>(
  kafka: Kafka,
  use: (admin: Admin) => Promise<Result>,
  { readUncommitted = false } = {},
): Promise<Result> {
  const admin = kafka.admin({ readUncommitted });
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

/** What each of the topics has a setting of Kafka's at. Rejects with KAFKA_UNAVAILABLE and KAFKA_TOPIC_MISSING. */
export async function topicSetting(
  kafka: Kafka,
  names: readonly string[],
  setting: string,
): Promise<string[]> {
  const { resources } = await withAdmin(kafka, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [setting] })),
    }),
  );
  return resources.flatMap(({ configEntries }) => configEntries.map(({ configValue }) => configValue));
}

/** Where each partition of a topic ends now, by partition: transactions under way, and all that comes, lie behind. */
export async function endsOf(kafka: Kafka, topic: string): Promise<number[]> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
}

/** kafkajs's errors as ours; what is none of them is as it was, or INTERNAL. */
export function asKafkaError(thrown: unknown): MillraceError {
  if (!isKafkaJsError(thrown)) return asMillraceError(thrown);
  const told = typeof thrown.type === "string" ? thrown : deepestCause(thrown);
  const words = `${told.message.replace(/\.$/, "")}.`;
  const fenced = [
    "INVALID_PRODUCER_EPOCH",
    "PRODUCER_FENCED",
    "INVALID_TXN_STATE",
    "INVALID_PRODUCER_ID_MAPPING",
  ];
  if (told.type !== undefined && fenced.includes(told.type)) {
    return new MillraceError("KAFKA_FENCED", words, { cause: thrown });
  }
  if (told.type === "UNKNOWN_TOPIC_OR_PARTITION") {
    return new MillraceError("KAFKA_TOPIC_MISSING", words, { cause: thrown });
  }
  return new MillraceError("KAFKA_UNAVAILABLE", `Kafka: ${words}`, { cause: thrown });
}

interface KafkaJsError extends Error {
  /** Kafka's own name of the error, where the broker sent one. */
  readonly type?: string;
  /** Of an aggregate, such as one for each topic that was to be created. */
  readonly errors?: readonly KafkaJsError[];
}

/** Also its own slips: a TypeError where a connection went away meanwhile. */
function isKafkaJsError(thrown: unknown): thrown is KafkaJsError {
  if (!(thrown instanceof Error) || thrown instanceof MillraceError) return false;
  const [, thrower = ""] = thrown.stack?.split("\n    at ") ?? [];
  return thrown.name.startsWith("KafkaJS") || /[\\/]node_modules[\\/]kafkajs[\\/]/.test(thrower);
}

/** What a wrapper of kafkajs is about: it gave up trying again, or did several things at once. */
function deepestCause(error: KafkaJsError): KafkaJsError {
  const within = error.errors?.[0] ?? error.cause;
  return within instanceof Error ? deepestCause(within) : error;
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
    await producer.disconnect().catch(() => undefined);
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
    const size = bytesOf(message);
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

/** At the most: a record's own fields take some tens of bytes. */
function bytesOf({ key, value, headers = {} }: OutgoingMessage): number {
  let bytes = 100 + (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key));
  for (const [name, header] of Object.entries(headers))
    bytes += 10 + Buffer.byteLength(name) + Buffer.byteLength(header);
  return bytes;
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
  /** Waits for the batches under way, takes up no more, and leaves the group. */
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
  /** An error that it throws, other than one of kafkajs, is told to `fail`, and is the last thing that it did. */
  eachBatch: (context: BatchContext) => Promise<void>;
  /** Told of every assignment, when no batch is under way: what is kept of other partitions has no use any more. */
  onAssigned?: (assigned: ReadonlyMap<string, ReadonlySet<number>>) => void;
  logger: Logger;
  /** Called once, when the consumer can do no more. */
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
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let drained: Promise<unknown> | undefined;
  const fail = (error: unknown) => {
    if (failure !== undefined) return;
    failure = { error };
    options.fail(error);
  };
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
    if (!payload.restart) fail(error);
  });

  const contextOf = (payload: EachBatchPayload): BatchContext => {
    const { batch } = payload;
    const { topic, partition } = batch;
    const epochOfBatch = epoch;
    return {
      batch,
      epoch: epochOfBatch,
      isCurrent: () => epoch === epochOfBatch && assigned.get(topic)?.has(partition) === true,
      heartbeat: () => payload.heartbeat(),
      resolve: (offset) => payload.resolveOffset(offset),
      commit: (offset, metadata) =>
        consumer.commitOffsets([{ topic, partition, offset, metadata: metadata ?? null }]),
      seek: (offset) => consumer.seek({ topic, partition, offset }),
    };
  };
  const eachBatch = async (payload: EachBatchPayload) => {
    // kafkajs goes on with the next batch while it is being stopped, and with the same one after whatever error.
    if (failure !== undefined) throw failure.error;
    if (drained !== undefined) {
      await drained;
      return;
    }
    const working = options.eachBatch(contextOf(payload));
    underWay.add(working);
    try {
      await working;
    } catch (error) {
      if (!isKafkaJsError(error)) fail(error);
      throw error;
    } finally {
      underWay.delete(working);
    }
  };

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: options.topics, fromBeginning: options.fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.partitionsConcurrently,
      eachBatch,
    });
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw asKafkaError(error);
  }
  return {
    consumer,
    stop: async () => {
      // Once kafkajs itself is stopping, it ignores commits without a word.
      drained ??= Promise.allSettled(underWay);
      await drained;
      await consumer.disconnect();
    },
  };
}

/** `offsets`: one a partition; those that are deleted by now are passed over. */
export type ReadFrom = "earliest" | { timestampMs: number } | { offsets: readonly number[] };

/**
 * Reads a topic from a place to the end that it has now, committed messages only, outside of any lasting group.
 * Messages of a partition come in order, each once. It waits for transactions that are under way, up to their time-out: a
 * consumer's offset may be seen as committed before the messages of its transaction are.
 * Rejects with KAFKA_UNAVAILABLE, the signal's reason, or what `onMessages` throws.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  from: ReadFrom,
  onMessages: (messages: KafkaMessage[], partition: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const ranges = await withAdmin(kafka, (admin) => rangesToRead(admin, topic, from), {
    readUncommitted: true,
  });
  const onEach = (messages: KafkaMessage[], partition: number) => {
    onMessages(messages, partition);
    return Promise.resolve();
  };
  await readOffsets(kafka, topic, ranges, onEach, signal);
}

/** Offsets of a partition, from `next` on. */
export interface OffsetRange {
  readonly next: bigint;
  /** Excluded. */
  readonly end: bigint;
}

/**
 * Reads ranges of offsets, ascending and apart from each other, by partition: as readTopic does. The end of each must be
 * there already, or it waits. Nothing more of a partition is read while `onMessages` works.
 */
export async function readOffsets(
  kafka: Kafka,
  topic: string,
  ranges: ReadonlyMap<number, readonly OffsetRange[]>,
  onMessages: (messages: KafkaMessage[], partition: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const remaining = new Map(
    [...ranges].filter(([, list]) => list.length > 0).map(([partition, list]) => [partition, [...list]]),
  );
  if (remaining.size === 0) return;

  const groupId = `millrace.reader.${topic}.${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const pause = (partition: number) => consumer.pause([{ topic, partitions: [partition] }]);
  const seek = (partition: number, { next }: OffsetRange) =>
    consumer.seek({ topic, partition, offset: String(next) });
  const read = async () => {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject: (error: Error) => void) => {
      // The one place where a position can be set before anything is fetched.
      consumer.on("consumer.group_join", ({ payload }) => {
        for (const partition of payload.memberAssignment[topic] ?? []) {
          const range = remaining.get(partition)?.[0];
          if (range === undefined) pause(partition);
          else seek(partition, range);
        }
      });
      consumer.on("consumer.crash", ({ payload }) => reject(asKafkaError(payload.error)));
      // A batch of nothing but aborted messages and control records never reaches eachBatch, so its end is seen here.
      consumer.on("consumer.end_batch_process", ({ payload: { partition, lastOffset } }) => {
        const left = remaining.get(partition);
        if (left === undefined) return;
        left[0] = { ...left[0], next: BigInt(lastOffset) + 1n };
        if (left[0].next < left[0].end) return;
        left.shift();
        if (left.length > 0) {
          seek(partition, left[0]);
          return;
        }
        remaining.delete(partition);
        pause(partition);
        if (remaining.size === 0) resolve();
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const range = remaining.get(batch.partition)?.[0];
            const wanted = batch.messages.filter(
              ({ offset }) =>
                range !== undefined && BigInt(offset) >= range.next && BigInt(offset) < range.end,
            );
            try {
              if (wanted.length > 0) await onMessages(wanted, batch.partition);
            } catch (error) {
              // It is not called again.
              remaining.clear();
              reject(error as Error);
            }
          },
        })
        .catch(reject);
    });
  };
  try {
    await orAborted(read(), signal);
  } catch (error) {
    throw signal?.aborted === true ? error : asKafkaError(error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
}

/** Of the partitions that have something to read. */
async function rangesToRead(
  admin: Admin,
  topic: string,
  from: ReadFrom,
): Promise<Map<number, OffsetRange[]>> {
  const ends = await admin.fetchTopicOffsets(topic);
  const starts =
    from === "earliest"
      ? ends.map(({ partition, low }) => ({ partition, offset: low }))
      : "offsets" in from
        ? ends.map(({ partition, low }) => ({
            partition,
            offset: String(Math.max(Number(low), from.offsets[partition] ?? 0)),
          }))
        : await admin.fetchTopicOffsetsByTimestamp(topic, from.timestampMs);
  const startOf = new Map(starts.map(({ partition, offset }) => [partition, BigInt(offset)]));
  return new Map(
    ends
      .map(({ partition, high }) => ({ partition, next: startOf.get(partition)!, end: BigInt(high) }))
      .filter(({ next, end }) => next < end)
      .map(({ partition, next, end }) => [partition, [{ next, end }]]),
  );
}

/** As the promise, or the signal's reason where that comes first. */
async function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return promise;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
