import type { Config } from "../../services/shared/config-schema.js";
import { featureColumns, featureSchemaText } from "../../services/shared/feature-columns.js";
import { encodeFeatureFrame } from "../../services/shared/frame-codec.js";
import type { FeatureFrame } from "../../services/shared/frame.js";
import {
  type OutgoingMessage,
  createKafka,
  openIdempotentProducer,
  partitionOf,
} from "../../services/shared/kafka.js";
import { connectSchemas } from "../../services/shared/schema-registry.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { topicName } from "../../services/shared/topics.js";

export interface FeatureSender {
  /** The feature columns of the configuration: what frames must have. */
  readonly columns: readonly string[];
  /** Sends frames, each to the partition of its entity, in order. */
  readonly send: (frames: readonly FeatureFrame[]) => Promise<void>;
  /** Sends bytes that need be no frame. */
  readonly sendBytes: (key: string, value: Buffer) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Writes to metrics.features in the processor's place. */
export async function openFeatureSender(config: Config): Promise<FeatureSender> {
  const columns = featureColumns(config);
  const schemaId = await connectSchemas(config).register("features", featureSchemaText(columns));
  const producer = await openIdempotentProducer(createKafka(config, "test", createLogger("test", "silent")));
  const message = (key: string, value: Buffer, timestamp: number): OutgoingMessage => ({
    topic: topicName("features", config.kafka.topic_prefix),
    partition: partitionOf(key, config.kafka.partitions),
    key,
    value,
    timestamp,
    headers: { watermark: String(timestamp) },
  });
  return {
    columns,
    send: (frames) =>
      producer.send(
        frames.map((frame) =>
          message(frame.entity.key, encodeFeatureFrame(schemaId, columns.length, frame), frame.timestamp),
        ),
      ),
    sendBytes: (key, value) => producer.send([message(key, value, Date.now())]),
    close: producer.close,
  };
}
