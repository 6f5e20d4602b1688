import type { KafkaMessage } from "kafkajs";
import { from, lastValueFrom, toArray } from "rxjs";
import { deadLetter, logDeadLetters } from "../shared/dead-letter.js";
import type { MillraceError } from "../shared/errors.js";
import { createRawReader } from "../shared/frame-codec.js";
import type { RawFrame } from "../shared/frame.js";
import type { BatchContext } from "../shared/kafka.js";
import type { Outage } from "../shared/outage.js";
import { untilDone } from "../shared/retry.js";
import type { Schemas } from "../shared/schema-registry.js";
import type { FeaturePlan } from "./feature-plan.js";
import type { OutputTopic } from "./operators/encode.js";
import type { SettleOptions } from "./operators/remember.js";
import { type OwnerOptions, type PartitionOwner, offsetMetadata, takePartition } from "./partition-owner.js";
import { pipeline, rebuild } from "./pipeline.js";
import type { ProcessorMetrics } from "./processor-metrics.js";
import type { CompiledRules } from "./rules/compile-rules.js";
import { openFrameJudge } from "./rules/judge-frame.js";
import { stateSize } from "./state/partition-state.js";
import type { SeriesWindow } from "./state/series-window.js";
import type { TypeChange } from "./state/type-change.js";

export interface PartitionProcessorOptions extends OwnerOptions {
  readonly topicPrefix: string;
  readonly plan: FeaturePlan;
  readonly rules: CompiledRules;
  readonly strict: boolean;
  readonly clean: OutputTopic;
  readonly features: OutputTopic;
  readonly schemas: Schemas;
  readonly outages: { readonly registry: Outage; readonly processing: Outage };
  readonly stopping: AbortSignal;
  readonly metrics: ProcessorMetrics;
  readonly now: () => number;
}

/**
 * Input bytes that are taken through the pipeline and committed at once: some ten thousand samples, a few megabytes of
 * output, and some tens of milliseconds between heartbeats.
 */
const MAX_SLICE_BYTES = 1_000_000;

export function createPartitionProcessor(options: PartitionProcessorOptions) {
  const {
    groupId,
    topic,
    topicPrefix,
    plan,
    rules,
    strict,
    clean,
    features,
    stopping,
    metrics,
    logger,
    now,
  } = options;
  const { registry, processing } = options.outages;
  const owners = new Map<number, PartitionOwner>();
  const reader = createRawReader(options.schemas);
  /** A source that does not know a type for certain would fill the log. */
  const toldOf = new WeakSet<SeriesWindow>();
  const onTypeChange = ({ window, series, timestamp, from, to }: TypeChange) => {
    metrics.typeChanges.inc();
    if (toldOf.has(window)) return;
    toldOf.add(window);
    logger.warn(
      { event: "series.type_changed", series: series.key, timestamp, from, to },
      "A series changed its type; later changes of it are only counted.",
    );
  };
  const settling: SettleOptions = {
    plan,
    strict,
    judge: openFrameJudge(rules, {
      broken: (rule) => metrics.brokenRules.inc({ rule: rules.names[rule] }),
      failed: (rule) => metrics.failedRules.inc({ rule: rules.names[rule] }),
    }),
    count: (outcome, samples) => metrics.outcomes.inc({ outcome }, samples),
    onTypeChange,
  };
  /** What is rebuilt was counted before. */
  const silent: SettleOptions = {
    plan,
    strict,
    judge: openFrameJudge(rules, { broken: () => undefined, failed: () => undefined }),
    count: () => undefined,
    onTypeChange: () => undefined,
  };

  /** Has the partition taken and its position set; the messages come again from there. */
  async function take(context: BatchContext, kept: PartitionOwner | undefined): Promise<void> {
    const { batch, heartbeat, seek } = context;
    // Who was away for long learns of it here, and does not fence the partition's new owner.
    await heartbeat();
    await kept?.committer.close();
    const owner = await untilDone(() => takePartition(options, context, kept), {
      outage: processing,
      signal: stopping,
      betweenAttempts: heartbeat,
    });
    owners.set(batch.partition, owner);
    seek(String(owner.next));
  }

  /** What the messages leave in the state is all that counts: they were committed before. */
  async function remember(
    owner: PartitionOwner,
    partition: number,
    slice: readonly KafkaMessage[],
    next: bigint,
  ): Promise<void> {
    await lastValueFrom(from(slice).pipe(rebuild(reader, silent, owner.state)), {
      defaultValue: undefined,
    });
    metrics.rebuilding.set({ partition }, Math.max(0, Number(owner.committed - next)));
  }

  /** Takes a slice through the pipeline and commits it. False where the outcome is unknown. */
  async function emit(
    owner: PartitionOwner,
    partition: number,
    slice: readonly KafkaMessage[],
    next: bigint,
  ): Promise<boolean> {
    const frames: RawFrame[] = [];
    const poison: { message: KafkaMessage; error: MillraceError }[] = [];
    const outputs = await lastValueFrom(
      from(slice).pipe(
        pipeline(
          {
            reader,
            settling,
            cleaned: clean,
            features,
            onFrame: (frame) => frames.push(frame),
            onRows: ({ series }) => metrics.rows.inc(series.length),
            onPoison: (message, error) => poison.push({ message, error }),
          },
          owner.state,
        ),
        toArray(),
      ),
    );
    const letters = poison.map(({ message, error }) =>
      deadLetter(topicPrefix, { topic, partition, ...message }, { stage: "processor", error, now: now() }),
    );
    const endTimer = metrics.commitDuration.startTimer();
    try {
      await owner.committer.commit([...outputs, ...letters], {
        groupId,
        topic,
        partition,
        offset: String(next),
        metadata: offsetMetadata(owner.state, plan),
      });
    } catch (thrown) {
      metrics.commitFailures.inc({ code: processing.failed(thrown).code });
      return false;
    }
    endTimer();
    processing.ended();
    for (const { error } of poison) metrics.deadLetters.inc({ code: error.code });
    logDeadLetters(logger, { topic, partition }, poison);
    const committedAt = now();
    for (const { origin, ingestedAt, series } of frames) {
      metrics.frames.inc();
      metrics.samples.inc(series.length);
      metrics.latency.observe({ origin }, (committedAt - ingestedAt) / 1000);
    }
    return true;
  }

  return {
    /** Handles a batch: takes the partition over where it is new, else slice by slice computes and commits. */
    process: async (context: BatchContext): Promise<void> => {
      const { batch, epoch, isCurrent, heartbeat, resolve } = context;
      const { partition } = batch;
      const owner = owners.get(partition);
      if (owner?.epoch !== epoch) {
        await take(context, owner);
        return;
      }
      const messages = batch.messages.filter(({ offset }) => BigInt(offset) >= owner.next);
      await untilDone(() => reader.prepare(messages.map(({ value }) => value)), {
        outage: registry,
        signal: stopping,
        betweenAttempts: heartbeat,
      });
      const afterBatch = BigInt(batch.lastOffset()) + 1n;
      for (const slice of slices(messages, owner.committed)) {
        await heartbeat();
        if (!isCurrent() || stopping.aborted) return;
        const isLast = slice[slice.length - 1] === messages[messages.length - 1];
        const next = isLast ? afterBatch : offsetAfter(slice);
        if (offsetAfter(slice) <= owner.committed) {
          await remember(owner, partition, slice, next);
        } else if (!(await emit(owner, partition, slice, next))) {
          // Nobody knows what was committed: the partition is taken anew, and its state with it.
          owners.delete(partition);
          await owner.committer.close();
          return;
        }
        owner.next = next;
        resolve(slice[slice.length - 1].offset);
      }
      if (messages.length === 0) resolve(batch.lastOffset());
      const { series, samples } = stateSize(owner.state);
      metrics.series.set({ partition }, series);
      metrics.retained.set({ partition }, samples);
      if (Number.isFinite(owner.state.watermark))
        metrics.watermark.set({ partition }, owner.state.watermark / 1000);
    },
    /** Forgets what it held of partitions that are another's now: that one rebuilds it, and so would this process. */
    keepOnly: (assigned: ReadonlySet<number>) => {
      for (const [partition, { committer }] of owners) {
        if (assigned.has(partition)) continue;
        owners.delete(partition);
        void committer.close();
        for (const gauge of [metrics.rebuilding, metrics.series, metrics.retained, metrics.watermark]) {
          gauge.remove({ partition });
        }
      }
      // Nothing is left that could say that it goes on.
      if (assigned.size === 0) processing.ended();
    },
    close: async () => {
      for (const { committer } of owners.values()) await committer.close();
      owners.clear();
    },
  };
}

function offsetAfter(messages: readonly KafkaMessage[]): bigint {
  return BigInt(messages[messages.length - 1].offset) + 1n;
}

/** Runs of messages of MAX_SLICE_BYTES each at the most, none across `committed`: what is before it is not emitted. */
function* slices(messages: readonly KafkaMessage[], committed: bigint): Generator<readonly KafkaMessage[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const size = messages[i].value?.length ?? 0;
    const crosses =
      i > from && BigInt(messages[i].offset) >= committed && BigInt(messages[i - 1].offset) < committed;
    if (crosses || (bytes + size > MAX_SLICE_BYTES && i > from)) {
      yield messages.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < messages.length) yield messages.slice(from);
}
