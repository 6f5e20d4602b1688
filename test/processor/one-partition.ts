import type { Kafka, KafkaMessage } from "kafkajs";
import { compileRules } from "../../services/processor/rules/compile-rules.js";
import { parseConfig } from "../../services/shared/config.js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { createPartitionProcessor } from "../../services/processor/partition-processor.js";
import type { Committer } from "../../services/processor/partition-owner.js";
import { createProcessorMetrics } from "../../services/processor/processor-metrics.js";
import { MillraceError } from "../../services/shared/errors.js";
import type { BatchContext, ConsumedOffset, OutgoingMessage } from "../../services/shared/kafka.js";
import { createOutage } from "../../services/shared/outage.js";
import { plan } from "./made-input.js";
import { rawSchemas } from "./raw-messages.js";

export const TOPIC = "t.metrics.raw";
const GROUP = "t.millrace.processor";
const PARTITION = 3;

/** What becomes of a commit: `lost` leaves nothing, `unanswered` leaves all, and both tell the processor the same. */
export type CommitFate = "done" | "lost" | "unanswered";

/**
 * What Kafka is to the processor of one partition: a log of input, a committed offset, outputs. Only here can a test say when a
 * commit's answer is lost, and what was done then.
 */
export function onePartition(messages: readonly KafkaMessage[]) {
  let committed: { offset: string; metadata: string } | null = null;
  let position = 0;
  let epoch = 0;
  let generation = 0;
  const outputs: OutgoingMessage[] = [];
  let fate: CommitFate = "done";
  let low = 0;
  let isRebalancing = false;
  const registry = new Registry();
  // A control record comes last.
  const end = messages.length === 0 ? 0 : Number(messages[messages.length - 1].offset) + 2;

  const admin = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    fetchOffsets: () =>
      Promise.resolve([
        {
          topic: TOPIC,
          partitions: [
            {
              partition: PARTITION,
              offset: committed?.offset ?? "-1",
              metadata: committed?.metadata ?? null,
            },
          ],
        },
      ]),
    fetchTopicOffsets: () =>
      Promise.resolve([{ partition: PARTITION, offset: String(end), low: String(low), high: String(end) }]),
  };

  const openCommitter = (): Promise<Committer> => {
    const opened = ++generation;
    return Promise.resolve({
      commit: (some: readonly OutgoingMessage[], { offset, metadata }: ConsumedOffset) => {
        if (opened !== generation) return Promise.reject(new MillraceError("KAFKA_FENCED", "fenced"));
        if (fate !== "lost") {
          outputs.push(...some);
          committed = { offset, metadata: metadata ?? "" };
        }
        return fate === "done"
          ? Promise.resolve()
          : Promise.reject(new MillraceError("KAFKA_UNAVAILABLE", "no answer"));
      },
      close: () => Promise.resolve(),
    });
  };

  const outageOf = (subject: string) =>
    createOutage({
      subject,
      details: {},
      logger: pino({ level: "silent" }),
      setReason: () => undefined,
      now: () => 0,
    });
  const logged: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) });
  const open = (strict = true) =>
    createPartitionProcessor({
      kafka: { admin: () => admin } as unknown as Kafka,
      groupId: GROUP,
      topic: TOPIC,
      topicPrefix: "t.",
      plan,
      rules: compileRules(parseConfig("", "test.yaml").transform.cleaning.rules),
      strict,
      clean: { topic: "t.metrics.clean", partitions: 4, schemaId: 1 },
      features: { topic: "t.metrics.features", partitions: 4, schemaId: 2 },
      schemas: { ...rawSchemas, register: () => Promise.reject(new Error("not here")) },
      openCommitter,
      outages: { registry: outageOf("registry"), processing: outageOf("processing") },
      stopping: new AbortController().signal,
      metrics,
      logger,
      now: () => 0,
    });
  const metrics = createProcessorMetrics(registry);
  let processor = open();

  return {
    outputs,
    registry,
    /** Log lines, parsed. */
    logged,
    committed: () => committed,
    /** How many committers were opened, each fencing the one before. */
    opened: () => generation,
    position: () => position,
    /** Kafka's retention takes what is before. */
    trimTo: (offset: number) => (low = offset),
    /** What `kafka-consumer-groups --reset-offsets` does. */
    moveTo: (offset: number) => (committed = { offset: String(offset), metadata: "" }),
    /** The process dies, and another begins where it stopped. */
    restart: () => {
      processor = open();
      epoch++;
      position = Number(committed?.offset ?? 0);
    },
    /** The group rebalances, and the partition stays where it was. */
    rebalance: () => {
      epoch++;
      position = Number(committed?.offset ?? 0);
    },
    /** The next heartbeat says that the partition is another's. */
    loseAtHeartbeat: () => (isRebalancing = true),
    keepOnly: (partitions: readonly number[]) => processor.keepOnly(new Set(partitions)),
    /** Hands over so many of the messages at the position at most. False at the end. */
    step: async (size: number, nextFate: CommitFate = "done"): Promise<boolean> => {
      const first = messages.findIndex(({ offset }) => Number(offset) >= position);
      if (first < 0) return false;
      fate = nextFate;
      const some = messages.slice(first, first + size);
      const after = messages.at(first + size);
      // Between two messages there may be control records, which belong to the batch.
      const lastOffset = after === undefined ? end - 1 : Number(after.offset) - 1;
      const heartbeat = () => {
        if (!isRebalancing) return Promise.resolve();
        isRebalancing = false;
        return Promise.reject(Object.assign(new Error("rebalancing"), { name: "KafkaJSProtocolError" }));
      };
      await processor.process({
        batch: { topic: TOPIC, partition: PARTITION, messages: some, lastOffset: () => String(lastOffset) },
        epoch,
        isCurrent: () => true,
        heartbeat,
        resolve: (offset: string) => {
          const isLast = offset === some[some.length - 1].offset;
          position = isLast ? lastOffset + 1 : Number(offset) + 1;
        },
        commit: () => Promise.reject(new Error("committed by the committer")),
        seek: (offset: string) => (position = Number(offset)),
      } as unknown as BatchContext);
      return true;
    },
  };
}
