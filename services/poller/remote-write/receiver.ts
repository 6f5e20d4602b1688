import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import type { ServiceContext } from "../../shared/lifecycle.js";
import { createOutage } from "../../shared/outage.js";
import type { Schemas } from "../../shared/schema-registry.js";
import type { PollerMetrics } from "../poller-metrics.js";
import { createCommitQueue } from "./commit-queue.js";
import { commitRequests } from "./commit-requests.js";
import { createPushedTypes } from "./metadata-types.js";
import { createReceiveRequest } from "./receive-request.js";
import { createReceiverMetrics } from "./receiver-metrics.js";
import type { PushedFrames } from "./request-frames.js";
import { createIdentify } from "./series-identity.js";
import { openWriteServer } from "./write-server.js";

/** As a label of the poller's metrics, beside its jobs. */
const JOB = "remote_write";
const CONDITION = "kafka (remote_write)";

export interface ReceiverSide {
  readonly kafka: Kafka;
  readonly schemas: Schemas;
  readonly schemaIds: { readonly raw: number; readonly state: number };
  readonly metrics: PollerMetrics;
  readonly now: () => number;
}

/**
 * Receives remote write until the service is stopped. Resolves once it listens, Kafka may be away, to what stops it: what
 * waits for Kafka is brought there and answered, as far as that takes no longer than `limitMs`.
 * Rejects with PORT_IN_USE, CONFIG_INVALID or CONFIG_UNREADABLE.
 */
export async function startReceiver(
  { config, logger, telemetry, stopping, fail }: ServiceContext,
  side: ReceiverSide,
): Promise<(limitMs: number) => Promise<void>> {
  const { kafka, schemas, schemaIds, metrics: pollerMetrics, now } = side;
  const settings = config.extract.remote_write;
  const queue = createCommitQueue({
    maxSamples: settings.queue_samples_max,
    answerWithinMs: settings.answer_timeout,
  });
  const types = createPushedTypes();
  let rememberedNow: () => number = () => 0;
  let isOpen = false;
  const metrics = createReceiverMetrics(telemetry.metrics, {
    queued: queue.size,
    remembered: () => rememberedNow(),
  });
  const receive = createReceiveRequest({
    settings,
    identify: createIdentify(config),
    types,
    queue,
    metrics,
    isOpen: () => isOpen,
  });
  const server = await openWriteServer({ settings, receive, metrics, logger });

  const onCommit = ({ frames, again }: PushedFrames) => {
    const labels = { job: JOB, origin: "remote_write" };
    for (const { series } of frames) pollerMetrics.samples.inc(labels, series.length);
    pollerMetrics.frames.inc(labels, frames.length);
    metrics.again.inc(again);
  };
  telemetry.setReadiness(
    CONDITION,
    `KAFKA_UNAVAILABLE: waiting for Kafka at ${config.kafka.brokers.join(", ")}`,
  );
  const committing = commitRequests(
    {
      queue,
      types,
      kafka,
      topicPrefix: config.kafka.topic_prefix,
      schemas,
      schemaIds,
      rememberMs: settings.remember,
      rememberedMax: settings.remembered_samples_max,
      outage: createOutage({
        subject: "kafka",
        details: { job: JOB },
        logger,
        setReason: (reason) => telemetry.setReadiness(CONDITION, reason),
        now,
      }),
      logger,
      now,
      onCommit,
      onOpen: ({ size }) => {
        isOpen = true;
        rememberedNow = size;
      },
      onFailure: (code) => {
        isOpen = false;
        metrics.kafkaFailures.inc({ code });
      },
    },
    stopping,
  ).catch((error: unknown) => {
    if (!stopping.aborted) fail(error);
  });

  return async (limitMs) => {
    server.refuse();
    queue.close();
    await Promise.race([committing, sleep(limitMs, undefined, { ref: false })]);
    queue.clear();
    await server.close();
  };
}
