import type { Kafka } from "kafkajs";
import { asMillraceError } from "../../shared/errors.js";
import {
  type TransactionalProducer,
  endsOf,
  openTransactionalProducer,
  partitionsOf,
} from "../../shared/kafka.js";
import type { Outage } from "../../shared/outage.js";
import { pause, untilDone } from "../../shared/retry.js";
import type { Schemas } from "../../shared/schema-registry.js";
import type { Logger } from "../../shared/telemetry.js";
import { topicName } from "../../shared/topics.js";
import { deliveries } from "../send-window.js";
import type { CommitQueue, Waiting } from "./commit-queue.js";
import type { CommittedSamples } from "./committed-samples.js";
import type { PushedTypes } from "./metadata-types.js";
import { type Positions, positionsMessage, readPositions } from "./receiver-position.js";
import { recoverCommitted } from "./recover-committed.js";
import { type PushedFrames, framesOf } from "./request-frames.js";

/** Samples of requests that go to Kafka together; more are the next transaction. */
const TRANSACTION_SAMPLES_MAX = 100_000;
/** Before all begins anew with Kafka; kafkajs has tried for some seconds itself by then. */
const RESTART_MS = 250;

export interface CommitSide {
  readonly queue: CommitQueue;
  readonly types: PushedTypes;
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly schemas: Schemas;
  /** Of metrics.raw and pipeline.state. */
  readonly schemaIds: { readonly raw: number; readonly state: number };
  readonly rememberMs: number;
  readonly rememberedMax: number;
  readonly outage: Outage;
  readonly logger: Logger;
  readonly now: () => number;
  /** Told of what is in Kafka now. */
  readonly onCommit: (written: PushedFrames) => void;
  /** Told of each beginning, with what is remembered, and of each end, by error code. */
  readonly onOpen: (committed: CommittedSamples) => void;
  readonly onFailure: (code: string) => void;
}

/**
 * Brings what is in the queue to Kafka until that is closed and empty. What is in Kafka is the only truth about what was
 * written: every beginning, the first and the one after each failed transaction, fences its predecessor and reads back
 * what was committed; the requests whose transaction failed are tried again, less what it had committed after all.
 * Rejects where going on is of no use, or with the signal's reason where it aborts while Kafka is away.
 */
export async function commitRequests(to: CommitSide, signal: AbortSignal): Promise<void> {
  for (;;) {
    const session = await untilDone(() => openSession(to, signal), { outage: to.outage, signal });
    to.onOpen(session.committed);
    try {
      await drain(session, to);
      return;
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (!error.retryable) throw error;
      to.outage.failed(error);
      to.onFailure(error.code);
    } finally {
      await session.producer.close();
    }
    await pause(RESTART_MS * (1 + Math.random()), signal);
  }
}

interface Session {
  readonly producer: TransactionalProducer;
  readonly partitions: number;
  readonly committed: CommittedSamples;
  /** Before what the receiver is asked to remember, and where the age after that began. */
  positions: { readonly written: Positions; next: Positions; nextSince: number };
}

async function openSession(to: CommitSide, signal: AbortSignal): Promise<Session> {
  const { kafka, topicPrefix, schemas, schemaIds, types, rememberedMax, logger, now } = to;
  const topics = { raw: topicName("raw", topicPrefix), state: topicName("state", topicPrefix) };
  const producer = await openTransactionalProducer(kafka, `${topicPrefix}millrace.remote-write`, logger);
  try {
    const partitions = await partitionsOf(kafka, topics.raw);
    const ends = await endsOf(kafka, topics.raw);
    const from = (await readPositions({ kafka, topic: topics.state, schemas }, signal)) ?? ends;
    const committed = await recoverCommitted(
      from,
      { kafka, topic: topics.raw, schemas, schemaId: schemaIds.raw, types, rememberedMax },
      signal,
    );
    logger.info({ event: "remote_write.started", remembered: committed.size() });
    return { producer, partitions, committed, positions: { written: from, next: ends, nextSince: now() } };
  } catch (error) {
    await producer.close();
    throw error;
  }
}

async function drain(session: Session, to: CommitSide): Promise<void> {
  // The first transaction says where the receiver began, in case there was none before.
  let positions: Positions | null = session.positions.written;
  for (;;) {
    const requests = await to.queue.take(TRANSACTION_SAMPLES_MAX);
    if (requests.length === 0) return;
    try {
      positions ??= await nextPositions(session, to);
      to.onCommit(await commit(requests, positions, session, to));
      positions = null;
    } catch (error) {
      to.queue.giveBack(requests);
      throw error;
    }
    for (const { settle } of requests) settle("written");
  }
}

/** Once an age has passed: the next one begins, and a new beginning need read back no more than the one that ends now. */
async function nextPositions(session: Session, to: CommitSide): Promise<Positions | null> {
  const { next, nextSince } = session.positions;
  if (to.now() - nextSince < to.rememberMs) return null;
  const ends = await endsOf(to.kafka, topicName("raw", to.topicPrefix));
  session.committed.nextAge();
  session.positions = { written: next, next: ends, nextSince: to.now() };
  return next;
}

async function commit(
  requests: readonly Waiting[],
  positions: Positions | null,
  { producer, partitions, committed }: Session,
  { topicPrefix, schemaIds, types, now }: CommitSide,
): Promise<PushedFrames> {
  const ingestedAt = now();
  const written = framesOf(
    requests.map(({ samples }) => samples),
    { committed, types, ingestedAt },
  );
  const target = { topic: topicName("raw", topicPrefix), partitions, schemaId: schemaIds.raw, watermark: 0 };
  // All of it is one transaction.
  const messages = [...deliveries(written.frames, target, Infinity)].flatMap((delivery) => delivery.messages);
  if (positions !== null)
    messages.push(positionsMessage(topicName("state", topicPrefix), schemaIds.state, positions, ingestedAt));
  if (messages.length > 0) await producer.commit(messages);
  return written;
}
