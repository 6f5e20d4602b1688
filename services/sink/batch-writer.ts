import type { KafkaMessage } from "kafkajs";
import { deadLetter, logDeadLetters } from "../shared/dead-letter.js";
import type { Entity } from "../shared/frame.js";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import type { FrameReader, ReadFeatureFrame } from "../shared/frame-codec.js";
import type { BatchContext, OutgoingMessage } from "../shared/kafka.js";
import type { Outage } from "../shared/outage.js";
import { untilDone } from "../shared/retry.js";
import type { Logger } from "../shared/telemetry.js";
import type { DeadLetters } from "./dead-letters.js";
import { type Holding, holdPartition } from "./hold-partition.js";
import type { InfluxClient } from "./influx-client.js";
import { retract } from "./retract.js";
import type { SinkMetrics } from "./sink-metrics.js";
import { type RefusedRow, type Slice, slices } from "./slices.js";
import { writeLines } from "./write-lines.js";

export interface BatchWriterOptions {
  readonly reader: FrameReader<ReadFeatureFrame>;
  readonly influx: InfluxClient;
  readonly deadLetters: DeadLetters;
  readonly topicPrefix: string;
  /** Lines of one write, at the most. */
  readonly batchSize: number;
  readonly outages: { readonly influx: Outage; readonly kafka: Outage; readonly registry: Outage };
  readonly stopping: AbortSignal;
  /** When a stop can wait no longer for a request under way. */
  readonly cutoff: AbortSignal;
  readonly metrics: SinkMetrics;
  readonly logger: Logger;
  readonly now: () => number;
}

/** The longest `line` header: metrics.dead keeps the message whole, and Kafka's limit counts headers too. */
const MAX_LINE_HEADER_CHARACTERS = 32_000;

/**
 * Writes the frames of a batch to InfluxDB, slice by slice, one request at a time. The offset of a message is committed
 * once each of its rows is acknowledged or in a dead letter, so whatever breaks off is read and written again; writing a row
 * twice is writing it once. While InfluxDB is away it waits, and Kafka is the buffer.
 */
export function createBatchWriter(options: BatchWriterOptions): (context: BatchContext) => Promise<void> {
  const { reader, influx, deadLetters, topicPrefix, batchSize, outages, stopping, cutoff, metrics } = options;
  const { logger, now } = options;

  /** Times of the newest frames. What comes for an older time corrects it, or fills a gap: no scrape was on its way for so long. */
  const newest = new WeakMap<Entity, number>();

  async function send(lines: readonly string[], { waits, requests }: Holding) {
    const attempt = async () => {
      const endTimer = metrics.writeDuration.startTimer();
      const outcome = await counted(influx.write(lines.join("\n"), requests));
      endTimer();
      metrics.batchLines.observe(lines.length);
      return outcome;
    };
    return untilDone(attempt, { outage: outages.influx, signal: waits });
  }

  async function counted<Result>(request: Promise<Result>): Promise<Result> {
    try {
      return await request;
    } catch (error) {
      metrics.requestFailures.inc({ code: asMillraceError(error).code });
      throw error;
    }
  }

  /** Resolves to the rows that InfluxDB refused. */
  async function writeSlice({ lines, sources }: Slice, holding: Holding): Promise<RefusedRow[]> {
    const refused: RefusedRow[] = [];
    for (let start = 0; start < lines.length; start += batchSize) {
      const part = lines.slice(start, start + batchSize);
      for (const { index, words } of await writeLines(part, (some) => send(some, holding))) {
        refused.push({ message: sources[start + index], line: part[index], words });
      }
    }
    metrics.rows.inc(lines.length - refused.length);
    return refused;
  }

  /** Resolves to the rows that could not be deleted. */
  async function retractSlice(
    frame: ReadFeatureFrame,
    message: KafkaMessage,
    { waits, requests }: Holding,
  ): Promise<RefusedRow[]> {
    const again = { outage: outages.influx, signal: waits };
    const stayed = await retract(frame, {
      query: (steps) => untilDone(() => counted(influx.query(steps)), again),
      deleteAt: (timestamp, predicate) =>
        untilDone(() => counted(influx.deleteAt(timestamp, predicate, requests)), again),
    });
    metrics.retractedRows.inc(frame.series.length - stayed.length);
    return stayed.map(({ row, words }) => ({
      message,
      line: `${frame.series[row].key} ${frame.timestamp}`,
      words,
    }));
  }

  async function sendDeadLetters(
    letters: readonly { message: KafkaMessage; error: MillraceError; headers?: Record<string, string> }[],
    { topic, partition }: { topic: string; partition: number },
    { waits }: Holding,
  ): Promise<void> {
    if (letters.length === 0) return;
    const outgoing: OutgoingMessage[] = letters.map(({ message, error, headers = {} }) =>
      deadLetter(
        topicPrefix,
        { topic, partition, ...message },
        { stage: "sink", error, now: now(), headers },
      ),
    );
    await untilDone(() => deadLetters.send(outgoing), { outage: outages.kafka, signal: waits });
    for (const { error } of letters) metrics.deadLetters.inc({ code: error.code });
    logDeadLetters(logger, { topic, partition }, letters);
  }

  async function processSlice(slice: Slice, context: BatchContext, holding: Holding): Promise<void> {
    const { batch } = context;
    const refused =
      slice.retraction === null
        ? [...slice.refused, ...(await writeSlice(slice, holding))]
        : await retractSlice(slice.retraction, slice.messages[0], holding);
    const acknowledgedAt = now();
    await sendDeadLetters([...slice.poison, ...lettersOf(refused)], batch, holding);

    metrics.refusedRows.inc(refused.length);
    metrics.skippedRows.inc({ reason: "no_finite_field" }, slice.emptyRows);
    metrics.frames.inc(slice.messages.length - slice.poison.length);
    for (const { origin, entity, timestamp } of slice.frames) {
      if (timestamp <= (newest.get(entity) ?? -Infinity)) continue;
      newest.set(entity, timestamp);
      metrics.latency.observe({ origin }, (acknowledgedAt - timestamp) / 1000);
    }
  }

  async function processBatch(context: BatchContext, holding: Holding): Promise<void> {
    const { batch, isCurrent, commit, resolve } = context;
    const { messages } = batch;
    const values = messages.map(({ value }) => value);
    await untilDone(() => reader.prepare(values), { outage: outages.registry, signal: holding.waits });
    for (const slice of slices(messages, reader.read, batchSize)) {
      if (!isCurrent() || stopping.aborted) return;
      await processSlice(slice, context, holding);
      const last = slice.messages[slice.messages.length - 1];
      // Behind the batch's last message there may be the markers of transactions, which nobody else would step over.
      const isEnd = last === messages[messages.length - 1];
      const next = BigInt(isEnd ? batch.lastOffset() : last.offset) + 1n;
      if (!isCurrent()) return;
      await commit(String(next));
      resolve(last.offset);
    }
  }

  return (context) =>
    holdPartition({ heartbeat: context.heartbeat, stopping, cutoff }, (holding) =>
      processBatch(context, holding),
    );
}

/** One letter a message, however many of its rows were refused: its bytes are the same. */
function lettersOf(refused: readonly RefusedRow[]) {
  const byMessage = new Map<KafkaMessage, RefusedRow[]>();
  for (const row of refused) {
    const rows = byMessage.get(row.message);
    if (rows === undefined) byMessage.set(row.message, [row]);
    else rows.push(row);
  }
  return [...byMessage].map(([message, rows]) => ({
    message,
    error: new MillraceError("INFLUX_LINE_REFUSED", [...new Set(rows.map(({ words }) => words))].join("\n")),
    headers: {
      line: rows
        .map(({ line }) => line)
        .join("\n")
        .slice(0, MAX_LINE_HEADER_CHARACTERS),
      lines: String(rows.length),
    },
  }));
}
