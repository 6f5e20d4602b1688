import type { Kafka } from "kafkajs";
import { type BatchContext, type ConsumedOffset, type OutgoingMessage, withAdmin } from "../shared/kafka.js";
import type { Logger } from "../shared/telemetry.js";
import type { FeaturePlan } from "./feature-plan.js";
import { type PartitionState, type Rewind, openPartitionState, rewindOf } from "./state/partition-state.js";

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
  readonly openCommitter: OpenCommitter;
  readonly logger: Logger;
}

/**
 * Takes a partition over: first fences whoever had it, then reads what was committed, so that nothing can
 * be committed in between. State that was kept stays when nobody else went on since; else it is rebuilt from the input.
 * Rejects with KAFKA_UNAVAILABLE.
 */
export async function takePartition(
  { kafka, groupId, topic, openCommitter, logger }: OwnerOptions,
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
      if (committed < 0n) return { epoch, committer, state: openPartitionState(), committed: low, next: low };

      const { rewind } = readMetadata(found?.metadata ?? "") ?? { rewind: { offset: 0, watermark: null } };
      const start = rewind === null ? committed : BigInt(rewind.offset);
      const next = start < low ? low : start;
      const state = openPartitionState(rewind?.watermark ?? undefined);
      if (next < committed)
        logger.info({ event: "state.rebuilding", partition, from: String(next), to: String(committed) });
      return { epoch, committer, state, committed, next };
    });
  } catch (error) {
    await committer.close();
    throw error;
  }
}

/** What is kept beside a committed offset. */
export interface OffsetMetadata {
  /** The partition's newest event time; null before the first frame. */
  readonly watermark: number | null;
  /** Where a rebuild begins; null where there is nothing to rebuild. */
  readonly rewind: { readonly offset: number; readonly watermark: number | null } | null;
}

export function offsetMetadata(state: PartitionState, plan: FeaturePlan): string {
  const finite = (watermark: number) => (Number.isFinite(watermark) ? watermark : null);
  const rewind: Rewind | null = rewindOf(state, plan);
  const metadata: OffsetMetadata = {
    watermark: finite(state.watermark),
    rewind: rewind === null ? null : { offset: rewind.offset, watermark: finite(rewind.watermark) },
  };
  return JSON.stringify(metadata);
}

/** Null where it is not ours: the tool that moves a group's offsets leaves none. */
function readMetadata(text: string): OffsetMetadata | null {
  try {
    const metadata = JSON.parse(text) as Partial<OffsetMetadata> | null;
    return metadata?.rewind === undefined ? null : (metadata as OffsetMetadata);
  } catch {
    return null;
  }
}
