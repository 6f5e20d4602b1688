import type { Kafka } from "kafkajs";
import { MillraceError } from "../shared/errors.js";
import { type FrameReader, createRawReader, schemaIdOf, wireHeader } from "../shared/frame-codec.js";
import type { RawFrame } from "../shared/frame.js";
import { readTopic } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";
import type { Logger } from "../shared/telemetry.js";
import { type SentSamples, createSentSamples } from "./sent-samples.js";

/**
 * What is in Kafka beyond the watermark, read back from metrics.raw itself: there is no second record of it that could
 * disagree. Messages that are no frames are somebody else's, and passed over. Rejects as readTopic does.
 */
export async function recoverSent(
  watermark: number,
  from: { kafka: Kafka; topic: string; schemas: Schemas; schemaId: number; source: string; logger: Logger },
  signal: AbortSignal,
): Promise<SentSamples> {
  const sent = createSentSamples();
  sent.forgetUpTo(watermark);
  const reader = createRawReader(from.schemas);
  const ready = new Set<number>();
  /** The beginning of a message of each schema that is not loaded; one's own will be met, others seldom. */
  const missing = new Map([[from.schemaId, wireHeader(from.schemaId)]]);
  const refused = new Set<number>();

  // Schemas load asynchronously and messages come in a plain callback: a pass that met new schemas is followed by another.
  do {
    await loadSchemas(missing, reader, ready, refused, from.logger);
    missing.clear();
    await readTopic(
      from.kafka,
      from.topic,
      { timestampMs: watermark + 1 },
      (messages) => {
        for (const { timestamp, value } of messages) {
          if (Number(timestamp) <= watermark) continue;
          try {
            const id = schemaIdOf(value);
            if (ready.has(id)) {
              const frame = reader.read(value);
              if (frame.source === from.source) sent.add(frame);
            } else if (!refused.has(id)) missing.set(id, wireHeader(id));
          } catch (error) {
            if (!(error instanceof MillraceError && error.code === "MESSAGE_UNDECODABLE")) throw error;
          }
        }
      },
      signal,
    );
  } while (missing.size > 0);
  return sent;
}

async function loadSchemas(
  examples: ReadonlyMap<number, Buffer>,
  reader: FrameReader<RawFrame>,
  ready: Set<number>,
  refused: Set<number>,
  logger: Logger,
): Promise<void> {
  for (const [id, value] of examples) {
    try {
      await reader.load(value);
      ready.add(id);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.retryable) throw error;
      logger.warn({ event: "recovery.schema_refused", code: error.code, schemaId: id }, error.message);
      refused.add(id);
    }
  }
}
