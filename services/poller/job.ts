import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { asMillraceError } from "../shared/errors.js";
import { type TransactionalProducer, openTransactionalProducer, partitionsOf } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";
import type { Logger } from "../shared/telemetry.js";
import { topicName } from "../shared/topics.js";
import type { Outage } from "../shared/outage.js";
import { type PollSource, pollUntil } from "./poll-loop.js";
import { limitCatchUp } from "./backfill/limit-catch-up.js";
import { recoverSent } from "./recover-sent.js";
import { deliveries } from "./send-window.js";
import { readWatermark, watermarkMessage } from "./watermark.js";

export interface KafkaSide {
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly schemas: Schemas;
  /** Of metrics.raw, pipeline.state and backfill.requests. */
  readonly schemaIds: { readonly raw: number; readonly state: number; readonly backfill: number };
  readonly outage: Outage;
  readonly logger: Logger;
  /** Counts a job's new beginnings, by error code. */
  readonly onFailure: (code: string) => void;
}

/** Waits before a job begins again with Kafka; kafkajs has tried for some seconds itself by then. */
const FIRST_RESTART_MS = 250;
const MAX_RESTART_MS = 10_000;

/**
 * Runs a job until the signal. What is in Kafka is the only truth about what was sent: every beginning, the first and the
 * one after each failed transaction, fences its predecessor, reads back watermark and frames, and goes on from there.
 * Rejects where going on is of no use; a wait that the signal cuts short may reject, too.
 */
export async function runJob(from: PollSource, to: KafkaSide, signal: AbortSignal): Promise<void> {
  let restartMs = FIRST_RESTART_MS;
  const onCommit = () => {
    restartMs = FIRST_RESTART_MS;
    to.outage.ended();
  };
  // After a failure only a transaction proves that it is over.
  const onRecovered = () => {
    if (restartMs === FIRST_RESTART_MS) to.outage.ended();
  };
  for (;;) {
    try {
      await runSession(from, to, signal, { onRecovered, onCommit });
      return;
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asMillraceError(thrown);
      if (!error.retryable) throw error;
      to.outage.failed(error);
      to.onFailure(error.code);
      await sleep(restartMs * (1 + Math.random()), undefined, { signal });
      restartMs = Math.min(restartMs * 2, MAX_RESTART_MS);
    }
  }
}

async function runSession(
  from: PollSource,
  to: KafkaSide,
  signal: AbortSignal,
  on: { onRecovered: () => void; onCommit: () => void },
): Promise<void> {
  const { job, source, now } = from;
  const { kafka, topicPrefix, schemas, schemaIds, logger } = to;
  const topics = { raw: topicName("raw", topicPrefix), state: topicName("state", topicPrefix) };

  const producer = await openTransactionalProducer(kafka, `${topicPrefix}millrace.poller.${job}`, logger);
  try {
    const partitions = await partitionsOf(kafka, topics.raw);
    const committed = await readWatermark(
      { source, job },
      { kafka, topic: topics.state, schemas, now },
      signal,
    );
    const watermark =
      committed === null
        ? now() - from.schedule.initial_lookback
        : await afterDowntime(committed, from, to, producer);
    const sent = await recoverSent(
      watermark,
      { kafka, topic: topics.raw, schemas, schemaId: schemaIds.raw, source },
      signal,
    );
    logger.info({
      event: "job.started",
      job,
      watermark,
      first: committed === null,
      alreadySent: sent.size(),
    });
    on.onRecovered();

    await pollUntil(signal, from, { watermark, sent }, async (frames, watermark) => {
      const target = { topic: topics.raw, partitions, schemaId: schemaIds.raw, watermark };
      for (const delivery of deliveries(frames, target)) {
        const state = { source, job, watermark: delivery.watermark, updatedAt: now() };
        await producer.commit([...delivery.messages, watermarkMessage(topics.state, schemaIds.state, state)]);
        on.onCommit();
      }
    });
  } finally {
    await producer.close();
  }
}

/** The watermark that a job goes on from; what a long downtime left before it is then requested as a backfill. */
async function afterDowntime(
  watermark: number,
  { job, source, schedule, now }: PollSource,
  { topicPrefix, schemaIds, logger }: KafkaSide,
  producer: TransactionalProducer,
): Promise<number> {
  const skip = limitCatchUp(
    { source, job, watermark },
    { now: now(), limitMs: schedule.catch_up_limit },
    {
      state: { topic: topicName("state", topicPrefix), schemaId: schemaIds.state },
      backfill: { topic: topicName("backfill", topicPrefix), schemaId: schemaIds.backfill },
    },
  );
  if (skip === null) return watermark;
  await producer.commit(skip.messages);
  const { id: request, from, to } = skip.request;
  logger.warn({ event: "job.skipped_ahead", job, request, from, to }, "What it missed is backfilled.");
  return skip.watermark;
}
