import { readSecret } from "../shared/config.js";
import { createFeatureReader } from "../shared/frame-codec.js";
import { type BatchContext, createKafka, runConsumer } from "../shared/kafka.js";
import type { ServiceContext } from "../shared/lifecycle.js";
import { createOutage } from "../shared/outage.js";
import { untilDone } from "../shared/retry.js";
import { connectSchemas } from "../shared/schema-registry.js";
import { topicName } from "../shared/topics.js";
import { createBatchWriter } from "./batch-writer.js";
import { createDeadLetters } from "./dead-letters.js";
import { createInfluxClient } from "./influx-client.js";
import { createSinkMetrics } from "./sink-metrics.js";

/** How long a fetch waits for data: the idle part of the latency. */
const MAX_WAIT_MS = 100;
/** Partitions that are written side by side, each with one request under way. */
const PARTITIONS_CONCURRENTLY = 8;
/** How long a stop waits for a request under way; committing and leaving the group come after it. */
const STOP_WAIT_MS = 5_000;

/** metrics.features → InfluxDB. Resolves to what stops it; whatever is not committed is read and written again. */
export async function startSink(context: ServiceContext): Promise<() => Promise<void>> {
  const { config, logger, telemetry, stopping, fail } = context;
  const { topic_prefix: topicPrefix } = config.kafka;
  const { url, org, bucket, timeout, batch_size: batchSize, token_file } = config.load.influxdb;
  const now = Date.now;
  const outageOf = (subject: string) =>
    createOutage({
      subject,
      details: {},
      logger,
      setReason: (reason) => telemetry.setReadiness(subject, reason),
      now,
    });
  const outages = { influx: outageOf("influxdb"), kafka: outageOf("kafka"), registry: outageOf("registry") };
  const metrics = createSinkMetrics(telemetry.metrics);

  const cutoff = new AbortController();
  const onStop = () => {
    setTimeout(() => cutoff.abort(stopping.reason), STOP_WAIT_MS).unref();
  };
  stopping.addEventListener("abort", onStop, { once: true });

  const influx = createInfluxClient(
    { url, org, bucket, timeoutMs: timeout * 1000, now },
    readSecret(token_file),
  );
  // Nothing is read before it could be written: a wrong token is told at once, without a row to try it with.
  await untilDone(() => influx.write("", stopping), { outage: outages.influx, signal: stopping });

  const kafka = createKafka(config, "sink", logger);
  const deadLetters = createDeadLetters(kafka);
  const writeBatch = createBatchWriter({
    reader: createFeatureReader(connectSchemas(config)),
    influx,
    deadLetters,
    topicPrefix,
    batchSize,
    outages,
    stopping,
    cutoff: cutoff.signal,
    metrics,
    logger,
    now,
  });
  const eachBatch = (batch: BatchContext) =>
    writeBatch(batch).catch((error: unknown) => {
      // Nothing of the batch was committed that was not written.
      if (!stopping.aborted) throw error;
    });
  const running = await untilDone(
    () =>
      runConsumer({
        kafka,
        groupId: `${topicPrefix}millrace.sink`,
        topics: [topicName("features", topicPrefix)],
        fromBeginning: true,
        maxWaitMs: MAX_WAIT_MS,
        partitionsConcurrently: PARTITIONS_CONCURRENTLY,
        eachBatch,
        logger,
        fail,
      }),
    { outage: outages.kafka, signal: stopping },
  );

  return async () => {
    await running.stop();
    await deadLetters.close();
    influx.close();
  };
}
