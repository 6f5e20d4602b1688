import { encodeRawFrame, splitRawFrame } from "../shared/frame-codec.js";
import type { RawFrame } from "../shared/frame.js";
import { type OutgoingMessage, partitionOf } from "../shared/kafka.js";

/** What one transaction holds: messages, and the watermark that holds once they are in Kafka. */
export interface Delivery {
  readonly messages: OutgoingMessage[];
  /** Milliseconds since the epoch. */
  readonly watermark: number;
}

/** Bytes of values in one transaction: a poll of tens of thousands of series is one, an hour's catch-up is several. */
const MAX_TRANSACTION_BYTES = 8_000_000;

/**
 * The transactions that bring a window's frames, chronological, to Kafka: encoded one after the other, so that only one
 * is in memory. Each moves the watermark as far as no later frame holds it back; the last moves it to `to.watermark`, and
 * there is one even where there are no frames.
 */
export function* deliveries(
  frames: readonly RawFrame[],
  to: { topic: string; partitions: number; schemaId: number; watermark: number },
  maxBytes = MAX_TRANSACTION_BYTES,
): Generator<Delivery> {
  let messages: OutgoingMessage[] = [];
  let bytes = 0;
  for (let i = 0; i < frames.length; i++) {
    const { entity, timestamp } = frames[i];
    if (bytes >= maxBytes) {
      yield { messages, watermark: Math.min(timestamp - 1, to.watermark) };
      messages = [];
      bytes = 0;
    }
    const partition = partitionOf(entity.key, to.partitions);
    for (const part of splitRawFrame(frames[i])) {
      const value = encodeRawFrame(to.schemaId, part);
      messages.push({ topic: to.topic, partition, key: entity.key, value, timestamp });
      bytes += value.length;
    }
  }
  yield { messages, watermark: to.watermark };
}
