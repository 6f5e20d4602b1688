import avro from "avsc";
import type { Kafka } from "kafkajs";
import { schemaIdOf, wireHeader } from "../shared/frame-codec.js";
import { type OutgoingMessage, readTopic } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";
import { schemaText } from "../shared/topics.js";

/** The record that a job's watermark is kept in: schemas/pipeline.state.avsc. */
export interface PipelineState {
  source: string;
  job: string;
  /** Milliseconds since the epoch. */
  watermark: number;
  /** Milliseconds since the epoch. */
  updatedAt: number;
}

const stateType = avro.Type.forSchema(JSON.parse(schemaText("pipeline.state.avsc")) as avro.Schema);

/** A job writes its watermark with every poll, so mostly the last hour has it; the whole topic is days of it. */
const RECENT_MS = 3_600_000;

function keyOf({ source, job }: { source: string; job: string }): string {
  return `${source}/${job}`;
}

/** The watermark as a message, to be sent in the transaction of the frames that it covers. */
export function watermarkMessage(topic: string, schemaId: number, state: PipelineState): OutgoingMessage {
  return {
    topic,
    partition: 0,
    key: keyOf(state),
    value: Buffer.concat([wireHeader(schemaId), stateType.toBuffer(state)]),
    timestamp: state.updatedAt,
  };
}

/** The last committed watermark of a job; null where it never had one. Rejects as readTopic and writerSchema do. */
export async function readWatermark(
  job: { source: string; job: string },
  from: { kafka: Kafka; topic: string; schemas: Schemas; now: () => number },
  signal: AbortSignal,
): Promise<number | null> {
  const key = keyOf(job);
  const found: (Buffer | null)[] = [];
  for (const place of [{ timestampMs: from.now() - RECENT_MS }, "earliest"] as const) {
    await readTopic(
      from.kafka,
      from.topic,
      place,
      (messages) => {
        for (const message of messages) if (message.key?.toString() === key) found[0] = message.value;
      },
      signal,
    );
    if (found.length > 0) return found[0] === null ? null : decode(found[0], from.schemas);
  }
  return null;
}

async function decode(value: Buffer, schemas: Schemas): Promise<number> {
  const writer = await schemas.writerSchema(schemaIdOf(value));
  const state = stateType.fromBuffer(value.subarray(5), stateType.createResolver(writer)) as PipelineState;
  return state.watermark;
}
