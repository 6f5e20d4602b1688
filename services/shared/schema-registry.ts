import avro from "avsc";
import confluent from "@kafkajs/confluent-schema-registry";
import pRetry, { AbortError } from "p-retry";
import { readSecret } from "./config.js";
import type { Config } from "./config-schema.js";
import { MillraceError, asMillraceError } from "./errors.js";
import type { WriterSchemas } from "./frame-codec.js";
import type { Logger } from "./telemetry.js";
import { type TopicId, topicName } from "./topics.js";

const { SchemaRegistry, SchemaType, COMPATIBILITY } = confluent;

export interface Schemas extends WriterSchemas {
  /**
   * The id of a topic's schema, registered where it is new, as subject `<topic>-value`. A registry that does not answer
   * is asked again until the signal. Rejects with SCHEMA_INCOMPATIBLE.
   */
  readonly register: (topic: TopicId, schemaText: string) => Promise<number>;
}

/**
 * Versions of a topic's schema must read each other in both directions, all of them: a replay reads what older
 * configurations wrote, and other consumers go on with the schema that they know.
 */
const compatibility = COMPATIBILITY.FULL_TRANSITIVE;

export function connectSchemas(config: Config, logger: Logger, signal: AbortSignal): Schemas {
  const { url, username, password_file } = config.registry;
  const registry = new SchemaRegistry({
    host: url,
    retry: { retries: 0 },
    ...(username === undefined || password_file === undefined
      ? {}
      : { auth: { username, password: readSecret(password_file) } }),
  });

  const untilAnswered = <Result>(
    what: string,
    ask: () => Promise<Result>,
    refused: (error: HttpError) => MillraceError,
  ) =>
    pRetry(
      async () => {
        try {
          return await ask();
        } catch (thrown) {
          const error = thrown as HttpError;
          if (error instanceof MillraceError) throw new AbortError(error);
          if (error.status === 401 || error.status === 403) {
            throw new AbortError(
              new MillraceError("REGISTRY_UNAUTHORIZED", `${url} refused the credentials.`, { cause: error }),
            );
          }
          if (refusals.has(error.status) || error.name.startsWith("ConfluentSchemaRegistry")) {
            throw new AbortError(refused(error));
          }
          throw new MillraceError("REGISTRY_UNAVAILABLE", `The schema registry at ${url} does not answer.`, {
            cause: thrown,
          });
        }
      },
      {
        retries: Infinity,
        factor: 2,
        minTimeout: 200,
        maxTimeout: 5_000,
        randomize: true,
        signal,
        onFailedAttempt: ({ error, attemptNumber }) => {
          // Once aloud, then quietly: a registry may be away for hours.
          const { code, action } = asMillraceError(error);
          logger[attemptNumber === 1 ? "error" : "debug"](
            { event: "registry.unavailable", code, action, attempt: attemptNumber },
            `${what}: ${error.message}`,
          );
        },
      },
    );

  return {
    register: async (topic, schemaText) => {
      const subject = `${topicName(topic, config.kafka.topic_prefix)}-value`;
      const { id } = await untilAnswered(
        `Registering ${subject}`,
        () => registry.register({ type: SchemaType.AVRO, schema: schemaText }, { subject, compatibility }),
        (error) =>
          new MillraceError("SCHEMA_INCOMPATIBLE", `${subject}: ${error.message}.`, { cause: error }),
      );
      return id;
    },
    writerSchema: (id) =>
      untilAnswered(
        `Reading schema ${id}`,
        async () => {
          const schema = await registry.getSchema(id);
          if (!(schema instanceof avro.Type))
            throw new MillraceError("SCHEMA_UNKNOWN", `Schema ${id} is no Avro schema.`);
          return schema;
        },
        (error) =>
          new MillraceError("SCHEMA_UNKNOWN", `The registry has no Avro schema ${id}.`, { cause: error }),
      ),
  };
}

/** Answers that asking again would not change. Not 400: the client library says that of a refused connection, too. */
const refusals = new Set<number | undefined>([404, 409, 422]);

interface HttpError extends Error {
  status?: number;
}
