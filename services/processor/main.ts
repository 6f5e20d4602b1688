import { featureSchemaText } from "../shared/feature-columns.js";
import { type BatchContext, createKafka, partitionsOf, runConsumer } from "../shared/kafka.js";
import type { ServiceContext } from "../shared/lifecycle.js";
import { createOutage } from "../shared/outage.js";
import { untilDone } from "../shared/retry.js";
import { connectSchemas } from "../shared/schema-registry.js";
import { type TopicId, schemaText, topicName } from "../shared/topics.js";
import { committers } from "./committers.js";
import { featurePlan } from "./feature-plan.js";
import type { OutputTopic } from "./operators/encode.js";
import { createPartitionProcessor } from "./partition-processor.js";
import { createProcessorMetrics } from "./processor-metrics.js";
import { compileRules } from "./rules/compile-rules.js";

/** How long a fetch waits for data: the idle part of the latency. */
const MAX_WAIT_MS = 100;
/** Partitions that are worked on side by side; one computes while others wait for Kafka. */
const PARTITIONS_CONCURRENTLY = 8;

/** metrics.raw → metrics.clean and metrics.features. Resolves to what stops it; whatever is not committed is read again. */
export async function startProcessor(context: ServiceContext): Promise<() => Promise<void>> {
  const { config, logger, telemetry, stopping, fail } = context;
  const prefix = config.kafka.topic_prefix;
  const groupId = `${prefix}millrace.processor`;
  const kafka = createKafka(config, "processor", logger);
  const schemas = connectSchemas(config);
  const plan = featurePlan(config);
  const metrics = createProcessorMetrics(telemetry.metrics);
  const outageOf = (subject: string) =>
    createOutage({
      subject,
      details: {},
      logger,
      setReason: (reason) => telemetry.setReadiness(subject, reason),
      now: Date.now,
    });
  const registry = { outage: outageOf("registry"), signal: stopping };
  const brokers = { outage: outageOf("kafka"), signal: stopping };

  const outputTopic = async (id: TopicId, schema: string): Promise<OutputTopic> => {
    const topic = topicName(id, prefix);
    const schemaId = await untilDone(() => schemas.register(id, schema), registry);
    return { topic, schemaId, partitions: await untilDone(() => partitionsOf(kafka, topic), brokers) };
  };
  const clean = await outputTopic("clean", schemaText("metrics.clean.avsc"));
  const features = await outputTopic("features", featureSchemaText(plan.columns));

  const processor = createPartitionProcessor({
    kafka,
    groupId,
    topic: topicName("raw", prefix),
    topicPrefix: prefix,
    plan,
    rules: compileRules(config.transform.cleaning.rules),
    strict: config.transform.cleaning.validation_rules === "strict",
    clean,
    features,
    schemas,
    openCommitter: committers({ kafka, groupId, delivery: config.kafka.delivery, logger }),
    outages: { registry: registry.outage, processing: outageOf("processing") },
    stopping,
    metrics,
    logger,
    now: Date.now,
  });
  const eachBatch = async (batch: BatchContext) => {
    try {
      await processor.process(batch);
    } catch (error) {
      // kafkajs deals with its own errors, a rebalance for one; what else gets here must be seen by a person.
      if (!stopping.aborted && !isKafkaJsError(error)) fail(error);
      throw error;
    }
  };
  const running = await untilDone(
    () =>
      runConsumer({
        kafka,
        groupId,
        topics: [topicName("raw", prefix)],
        fromBeginning: true,
        maxWaitMs: MAX_WAIT_MS,
        partitionsConcurrently: PARTITIONS_CONCURRENTLY,
        eachBatch,
        onAssigned: (assigned) => processor.keepOnly(assigned.get(topicName("raw", prefix)) ?? new Set()),
        logger,
        fail,
      }),
    brokers,
  );

  return async () => {
    await running.stop();
    await processor.close();
  };
}

function isKafkaJsError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith("KafkaJS");
}
