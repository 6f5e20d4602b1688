import { type Config, etlSchema } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";
import { type ReadFeatureFrame, createFeatureReader } from "../shared/frame-codec.js";
import type { Labels, MetricType, Origin } from "../shared/frame.js";
import { createKafka, runConsumer } from "../shared/kafka.js";
import { createOutage } from "../shared/outage.js";
import { untilDone } from "../shared/retry.js";
import { connectSchemas } from "../shared/schema-registry.js";
import { type Logger, createLogger } from "../shared/telemetry.js";
import { topics } from "../shared/topics.js";
import { createHandOver } from "./hand-over.js";

export interface SubscribeOptions<Feature extends string = string> {
  /** Bootstrap servers, host:port. */
  readonly brokers: readonly string[];
  /** Where the schema registry serves the Confluent API. */
  readonly registryUrl: string;
  /** Members of a group share the partitions; a group goes on where it had got to. */
  readonly groupId: string;
  /** With the configuration's prefix, where it has one. Default: metrics.features. */
  readonly topic?: string;
  /** Only entities with these labels. */
  readonly entity?: Labels;
  /** Only these features, such as `mean_5m`. Default: all that the message has. */
  readonly features?: readonly Feature[];
  /** Where a new group begins: with the oldest message, or, by default, with what is written from now on. */
  readonly fromBeginning?: boolean;
  /** Ends the subscription: the loop over it ends after the frame that it is at. */
  readonly signal?: AbortSignal;
  /** As `kafka.tls` of the configuration. */
  readonly tls?: Config["kafka"]["tls"];
  /** As `kafka.sasl` of the configuration. */
  readonly sasl?: Config["kafka"]["sasl"];
  /** Credentials of the registry, as in the configuration. */
  readonly registryAuth?: { readonly username: string; readonly password_file: string };
  /** A pino logger. Default: nothing is logged. */
  readonly logger?: Logger;
}

/** The features of one series at the frame's time. */
export interface FeatureRow<Feature extends string = string> {
  /** `name{a="x",b="y"}`, labels sorted. With the frame's timestamp the identity of the row. */
  readonly series: string;
  readonly metric: string;
  readonly labels: Labels;
  readonly type: MetricType;
  /** After cleaning. NaN where the series has no value here. */
  readonly value: number;
  /** Bits: 1 invalid, 2 imputed, 4 outlier, 8 stale, 16 not finite, 32 conversion error, 64 incomplete. */
  readonly flags: number;
  /** Null where the feature has no value here, or the message's version lacks it. */
  readonly features: Readonly<Record<Feature, number | null>>;
}

/** The features of all series of one entity at one event time. */
export interface FeatureFrame<Feature extends string = string> {
  readonly entity: Labels;
  /** Event time, milliseconds since the epoch. */
  readonly timestamp: number;
  /** A row that comes again with a larger revision replaces the earlier one; with the same, it is the same. */
  readonly revision: number;
  /** When the rows could first be known, milliseconds since the epoch. */
  readonly knownAt: number;
  /** The rows must go: forget them. */
  readonly retracted: boolean;
  readonly origin: Origin;
  /** Event time up to which the processor has read this partition; what lies its `lateness`, and the longest gap that is filled, before that is final. */
  readonly watermark: number | null;
  readonly rows: readonly FeatureRow<Feature>[];
}

/** How long handled frames may stay uncommitted: what may come again after a crash. */
const COMMIT_INTERVAL_MS = 1_000;

/**
 * Subscribes to metrics.features. Frames of an entity come in order, each at least once: a frame counts as handled
 * when the loop asks for the next one, and handled frames are committed once a second and at the end. A loop that is
 * left early has not handled the frame that it was at. Each frame is to be handled within 30 s, or another member of
 * the group takes over.
 *
 *     for await (const frame of subscribe({ brokers, registryUrl, groupId })) handle(frame);
 *
 * The loop throws MillraceError: KAFKA_UNAVAILABLE and KAFKA_TOPIC_MISSING when Kafka is away for good,
 * MESSAGE_UNDECODABLE and SCHEMA_UNKNOWN for a message that is none of Millrace's, CONFIG_INVALID for the options. A
 * registry that is away is waited for.
 */
export async function* subscribe<Feature extends string = string>(
  options: SubscribeOptions<Feature>,
): AsyncGenerator<FeatureFrame<Feature>, void, undefined> {
  const config = configOf(options);
  const logger = options.logger ?? createLogger("client", "silent");
  const topic = options.topic ?? topics.features.name;
  const wanted = Object.entries(options.entity ?? {});
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const reader = createFeatureReader(connectSchemas(config));
  const outage = createOutage({
    subject: "registry",
    details: {},
    logger,
    setReason: () => undefined,
    now: Date.now,
  });
  const handOver = createHandOver<FeatureFrame<Feature>>();
  const stop = () => handOver.end();
  signal.addEventListener("abort", stop);
  if (signal.aborted) return;

  const running = await runConsumer({
    kafka: createKafka(config, "client", logger),
    groupId: options.groupId,
    topics: [topic],
    fromBeginning: options.fromBeginning ?? false,
    maxWaitMs: 200,
    partitionsConcurrently: 1,
    logger,
    fail: (error) => handOver.end(error),
    eachBatch: async ({ batch, isCurrent, heartbeat, resolve }) => {
      let committedAt = performance.now();
      const commit = async (offset: string) => {
        if (!isCurrent()) return;
        await running.consumer.commitOffsets([{ topic, partition: batch.partition, offset }]);
        committedAt = performance.now();
      };
      try {
        await untilDone(() => reader.prepare(batch.messages.map(({ value }) => value)), {
          outage,
          signal,
          betweenAttempts: heartbeat,
        });
        for (const { value, offset, headers } of batch.messages) {
          if (!isCurrent()) return;
          const frame = reader.read(value);
          if (wanted.every(([name, label]) => frame.entity.labels[name] === label)) {
            const isHandled = await handOver.offer(
              toFrame(frame, options.features, headers?.["watermark"]?.toString()),
            );
            if (!isHandled) {
              await commit(offset);
              return;
            }
          }
          resolve(offset);
          await heartbeat();
          if (performance.now() - committedAt >= COMMIT_INTERVAL_MS) await commit(after(offset));
        }
        resolve(batch.lastOffset());
        await commit(after(batch.lastOffset()));
      } catch (error) {
        if (signal.aborted) return;
        // What is wrong with a message does not pass; what is wrong with Kafka may, and kafkajs tries again.
        if (error instanceof MillraceError) handOver.end(error);
        else throw error;
      }
    },
  });
  try {
    yield* handOver.items();
  } finally {
    signal.removeEventListener("abort", stop);
    ended.abort();
    handOver.end();
    await running.stop();
  }
}

function after(offset: string): string {
  return String(BigInt(offset) + 1n);
}

/** The options in the words of the configuration, whose rules and defaults they share. Throws CONFIG_INVALID. */
function configOf(options: SubscribeOptions): Config {
  const { brokers, tls, sasl, registryUrl, registryAuth } = options;
  const parsed = etlSchema.safeParse({
    kafka: { brokers, tls, sasl },
    registry: { url: registryUrl, ...registryAuth },
  });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new MillraceError("CONFIG_INVALID", `The options of subscribe: ${problems.join("; ")}.`);
}

function toFrame<Feature extends string>(
  frame: ReadFeatureFrame,
  features: readonly Feature[] | undefined,
  watermark: string | undefined,
): FeatureFrame<Feature> {
  const { columns } = frame;
  const names = features ?? (columns as readonly Feature[]);
  const places = names.map((name) => columns.indexOf(name));
  return {
    entity: frame.entity.labels,
    timestamp: frame.timestamp,
    revision: frame.revision,
    knownAt: frame.knownAt,
    retracted: frame.retracted,
    origin: frame.origin,
    watermark: watermark === undefined ? null : Number(watermark),
    rows: frame.series.map(({ key, metric, labels, type }, row) => {
      const values: Partial<Record<Feature, number | null>> = {};
      for (let i = 0; i < names.length; i++) {
        const value = places[i] < 0 ? NaN : frame.features[row * columns.length + places[i]];
        values[names[i]] = Number.isNaN(value) ? null : value;
      }
      return {
        series: key,
        metric,
        labels,
        type,
        value: frame.values[row],
        flags: frame.flags[row],
        features: values as Record<Feature, number | null>,
      };
    }),
  };
}
