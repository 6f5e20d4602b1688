import type { Kafka } from "kafkajs";
import { MillraceError } from "../shared/errors.js";
import { createRawReader, schemaIdOf, wireHeader } from "../shared/frame-codec.js";
import { readTopic } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";
import { type SentSamples, createSentSamples } from "./sent-samples.js";

/**
 * What is in Kafka beyond the watermark, read back from metrics.raw itself: there is no second record of it that could
 * disagree. Messages that are no frames are somebody else's, and passed over. Rejects as readTopic does.
 */
export async function recoverSent(
  watermark: number,
  from: { kafka: Kafka; topic: string; schemas: Schemas; schemaId: number; source: string },
  signal: AbortSignal,
): Promise<SentSamples> {
  const sent = createSentSamples();
  sent.forgetUpTo(watermark);
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
      { timestampMs: watermark + 1 },
      (messages) => {
        for (const { timestamp, value } of messages) {
          if (Number(timestamp) <= watermark) continue;
          try {
            const id = schemaIdOf(value);
            if (!prepared.has(id)) missing.add(id);
            else {
              const frame = reader.read(value);
              if (frame.source === from.source) sent.add(frame);
            }
          } catch (error) {
            if (!isForeign(error)) throw error;
          }
        }
      },
      signal,
    );
  }
  return sent;
}

function isForeign(error: unknown): boolean {
  return (
    error instanceof MillraceError &&
    (error.code === "MESSAGE_UNDECODABLE" || error.code === "SCHEMA_UNKNOWN")
  );
}
