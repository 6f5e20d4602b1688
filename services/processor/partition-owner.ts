import type { Kafka } from "kafkajs";
import { MillraceError } from "../shared/errors.js";
import { type BatchContext, type ConsumedOffset, type OutgoingMessage, withAdmin } from "../shared/kafka.js";
import type { Logger } from "../shared/telemetry.js";
import { type PartitionState, openPartitionState } from "./state/partition-state.js";

/** Brings the outputs of input messages to Kafka and commits the input's offset: at once (law L7), or one after the other. */
export interface Committer {
  readonly commit: (messages: readonly OutgoingMessage[], consumed: ConsumedOffset) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a partition's committer; a transactional one fences that of whoever had the partition before. */
export type OpenCommitter = (partition: number, commitOffset: BatchContext["commit"]) => Promise<Committer>;

/** One input partition while it is this process's: its committer, its state, and how far both have got. */
export interface PartitionOwner {
  readonly epoch: number;
  readonly committer: Committer;
  readonly state: PartitionState;
  /** Messages before this offset have been committed: they rebuild state, in silence. */
  readonly committed: bigint;
  /** The next message to be taken; those before it are in the state already. */
  next: bigint;
}

export interface OwnerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topic: string;
  /** How far back in event time state reaches, milliseconds. */
  readonly retentionMs: number;
  readonly openCommitter: OpenCommitter;
  readonly logger: Logger;
}

/**
 * Takes a partition over: first fences whoever had it, then reads what was committed, so that nothing can
 * be committed in between. State that was kept stays when nobody else went on since; else it is rebuilt from the input.
 * Rejects with KAFKA_UNAVAILABLE.
 */
export async function takePartition(
  { kafka, groupId, topic, retentionMs, openCommitter, logger }: OwnerOptions,
  { batch: { partition }, epoch, commit }: BatchContext,
  kept: PartitionOwner | undefined,
): Promise<PartitionOwner> {
  const committer = await openCommitter(partition, commit);
  try {
    return await withAdmin(kafka, async (admin) => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const found = partitions.find((entry) => entry.partition === partition);
      const committed = BigInt(found?.offset ?? "-1");
      if (kept?.next === committed)
        return { epoch, committer, state: kept.state, committed, next: committed };

      const offsets = await admin.fetchTopicOffsets(topic);
      const low = BigInt(offsets.find((entry) => entry.partition === partition)?.low ?? "0");
      const state = openPartitionState();
      if (committed < 0n) return { epoch, committer, state, committed: low, next: low };

      const watermark = watermarkOf(found?.metadata ?? null);
      let start = low;
      if (watermark !== null) {
        const since = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, watermark - retentionMs));
        const offset = BigInt(since.find((entry) => entry.partition === partition)?.offset ?? "-1");
        start = offset < 0n || offset > committed ? committed : offset;
      }
      const next = start < low ? low : start;
      logger.info({ event: "state.rebuilding", partition, from: String(next), to: String(committed) });
      return { epoch, committer, state, committed, next };
    });
  } catch (error) {
    await committer.close();
    throw error;
  }
}

/** The partition's newest event time, kept beside the committed offset: what a rebuild rewinds from. */
export function watermarkMetadata({ watermark }: PartitionState): string {
  return Number.isFinite(watermark) ? JSON.stringify({ watermark }) : "";
}

function watermarkOf(metadata: string | null): number | null {
  if (metadata === null || metadata === "") return null;
  try {
    const { watermark } = JSON.parse(metadata) as { watermark?: unknown };
    return typeof watermark === "number" ? watermark : null;
  } catch (error) {
    throw new MillraceError("INTERNAL", `The committed offset's metadata is not ours: ${metadata}`, {
      cause: error,
    });
  }
}
