import type { Kafka, KafkaMessage } from "kafkajs";
import { createRawReader, isForeign, schemaIdOf, wireHeader } from "../shared/frame-codec.js";
import type { RawFrame } from "../shared/frame.js";
import { type ReadFrom, readTopic } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";

export interface RawTopic {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly schemas: Schemas;
}

/**
 * Reads frames back from metrics.raw, from a place to its end, those of `wanted` messages. A frame may be shown twice. `schemaId` is
 * that of the frames that are written now; others are found as they are met. Messages that are no frames are somebody else's, and passed over. Rejects as readTopic does.
 */
export async function readRawFrames(
  from: RawTopic & { schemaId: number },
  place: ReadFrom,
  wanted: (message: KafkaMessage) => boolean,
  onFrame: (frame: RawFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = createRawReader(from.schemas);
  const prepared = new Set<number>();
  let missing = new Set([from.schemaId]);

  // Schemas come asynchronously and messages in a plain callback: a pass that met other schemas is followed by another.
  while (missing.size > 0) {
    await reader.prepare([...missing].map(wireHeader));
    for (const id of missing) prepared.add(id);
    missing = new Set();
    await readTopic(
      from.kafka,
      from.topic,
      place,
      (messages) => {
        for (const message of messages) {
          if (!wanted(message)) continue;
          try {
            const id = schemaIdOf(message.value);
            if (!prepared.has(id)) missing.add(id);
            else onFrame(reader.read(message.value));
          } catch (error) {
            if (!isForeign(error)) throw error;
          }
        }
      },
      signal,
    );
  }
}
