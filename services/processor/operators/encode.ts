import { type OperatorFunction, concatMap, map } from "rxjs";
import { encodeCleanFrame, encodeFeatureFrame, splitFeatureFrame } from "../../shared/frame-codec.js";
import type { CleanFrame, FeatureFrame } from "../../shared/frame.js";
import { type OutgoingMessage, partitionOf } from "../../shared/kafka.js";
import type { At } from "./validate.js";

/** An output topic as messages for it need to know it. */
export interface OutputTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly schemaId: number;
}

export function encodeClean({
  topic,
  partitions,
  schemaId,
}: OutputTopic): OperatorFunction<At<CleanFrame>, OutgoingMessage> {
  return map(({ frame }) => ({
    topic,
    partition: partitionOf(frame.entity.key, partitions),
    key: frame.entity.key,
    value: encodeCleanFrame(schemaId, frame),
    timestamp: frame.timestamp,
  }));
}

/** `watermark` is the newest event time of the input: rows older than it minus the lateness, and the longest gap that is filled, are final. */
export function encodeFeatures(
  { topic, partitions, schemaId }: OutputTopic,
  columns: number,
  watermark: () => number,
): OperatorFunction<FeatureFrame, OutgoingMessage> {
  return concatMap((frame) =>
    splitFeatureFrame(frame, columns).map((part) => ({
      topic,
      partition: partitionOf(frame.entity.key, partitions),
      key: frame.entity.key,
      value: encodeFeatureFrame(schemaId, columns, part),
      timestamp: frame.timestamp,
      headers: { watermark: String(watermark()) },
    })),
  );
}
