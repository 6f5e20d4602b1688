import type { Config } from "../shared/config-schema.js";
import { asMillraceError } from "../shared/errors.js";
import { featureColumns, featureSchemaText } from "../shared/feature-columns.js";
import { createKafka, createTopics } from "../shared/kafka.js";
import { connectSchemas } from "../shared/schema-registry.js";
import type { Logger } from "../shared/telemetry.js";
import { type TopicId, schemaText, topics } from "../shared/topics.js";
import { createBucket } from "./influxdb-bucket.js";

export interface Prepared {
  /** Names of the topics that were missing. */
  readonly createdTopics: readonly string[];
  readonly registeredSchemas: number;
  /** Whether the bucket was missing; null where the token may not see to that. */
  readonly createdBucket: boolean | null;
}

/**
 * What the services expect of running servers: topics, schemas, a bucket. Changes nothing that is there. Rejects with
 * KAFKA_UNAVAILABLE, SCHEMA_INCOMPATIBLE, REGISTRY_UNAVAILABLE, REGISTRY_UNAUTHORIZED or INFLUX_UNAVAILABLE.
 */
export async function prepare(config: Config, logger: Logger): Promise<Prepared> {
  const kafka = createKafka(config, "stack", logger);
  const schemas = connectSchemas(config);
  const texts = (Object.keys(topics) as TopicId[]).flatMap((topic) => {
    const { schema } = topics[topic];
    return schema === null ? [] : [{ topic, text: schemaText(schema) }];
  });
  texts.push({ topic: "features", text: featureSchemaText(featureColumns(config)) });
  const registerAll = async () => {
    for (const { topic, text } of texts) await schemas.register(topic, text);
    return texts.length;
  };
  const [createdTopics, registeredSchemas, createdBucket] = await Promise.all([
    createTopics(kafka, config),
    registerAll(),
    createOwnBucket(config, logger),
  ]);
  return { createdTopics, registeredSchemas, createdBucket };
}

/** A token that may only write is enough: the sink finds out whether it may, and where the bucket is missing. */
async function createOwnBucket({ load }: Config, logger: Logger): Promise<boolean | null> {
  try {
    return await createBucket(load.influxdb, load.influxdb.retention_policies.hot);
  } catch (error) {
    const { code, message } = asMillraceError(error);
    if (code !== "INFLUX_UNAUTHORIZED" && code !== "INFLUX_BUCKET_MISSING") throw error;
    logger.warn({ event: "bucket.unknown", code }, message);
    return null;
  }
}
