import avro from "avsc";
import confluent from "@kafkajs/confluent-schema-registry";
import { readSecret } from "./config.js";
import type { Config } from "./config-schema.js";
import { MillraceError } from "./errors.js";
import type { WriterSchemas } from "./frame-codec.js";
import { type TopicId, topicName } from "./topics.js";

const { SchemaRegistry, SchemaType, COMPATIBILITY } = confluent;

/** All reject with REGISTRY_UNAVAILABLE or REGISTRY_UNAUTHORIZED besides; whoever calls decides about trying again. */
export interface Schemas extends WriterSchemas {
  /** The id of a topic's schema, registered where it is new, as subject `<topic>-value`. Rejects with SCHEMA_INCOMPATIBLE. */
  readonly register: (topic: TopicId, schemaText: string) => Promise<number>;
}

/**
 * Versions of a topic's schema must read each other in both directions, all of them: a replay reads what older
 * configurations wrote, and other consumers go on with the schema that they know.
 */
const compatibility = COMPATIBILITY.FULL_TRANSITIVE;

/** Answers that asking again would not change. Not 400: the client library says that of a refused connection, too. */
const refusals = new Set<number | undefined>([404, 409, 422]);

/** The client library knows no limit of its own, and a registry that accepts connections may still never answer. */
const REQUEST_LIMIT_MS = 15_000;

async function withinLimit<Result>(request: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${REQUEST_LIMIT_MS / 1000} s`)),
      REQUEST_LIMIT_MS,
    );
  });
  try {
    return await Promise.race([request, limit]);
  } finally {
    clearTimeout(timer);
  }
}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>[number];

/** Whatever else answers 200, a proxy's page for one, says nothing of schemas: it must not make messages undecodable. */
const registryOnly: Middleware = () => ({
  response: async (next) => {
    const response = await next();
    if (typeof response.data() === "string") throw new Error("the answer is no registry's");
    return response;
  },
});

interface HttpError extends Error {
  status?: number;
}

export function connectSchemas(config: Config): Schemas {
  const { url, username, password_file } = config.registry;
  const registry = new SchemaRegistry({
    host: url,
    retry: { retries: 0 },
    middlewares: [registryOnly],
    ...(username === undefined || password_file === undefined
      ? {}
      : { auth: { username, password: readSecret(password_file) } }),
  });

  const ask = async <Result>(request: () => Promise<Result>, refused: (error: Error) => MillraceError) => {
    try {
      return await withinLimit(request());
    } catch (thrown) {
      if (thrown instanceof MillraceError) throw thrown;
      const error = thrown as HttpError;
      if (error.status === 401 || error.status === 403) {
        throw new MillraceError("REGISTRY_UNAUTHORIZED", `${url} refused the credentials.`, { cause: error });
      }
      if (refusals.has(error.status) || error.name.startsWith("ConfluentSchemaRegistry"))
        throw refused(error);
      // The library puts its own name before.
      const words = error.message.replace(/^\S+ - /, "");
      throw new MillraceError("REGISTRY_UNAVAILABLE", `The schema registry at ${url}: ${words}.`, {
        cause: error,
      });
    }
  };

  return {
    register: async (topic, schemaText) => {
      const subject = `${topicName(topic, config.kafka.topic_prefix)}-value`;
      const { id } = await ask(
        () => registry.register({ type: SchemaType.AVRO, schema: schemaText }, { subject, compatibility }),
        (error) =>
          new MillraceError("SCHEMA_INCOMPATIBLE", `${subject}: ${error.message}.`, { cause: error }),
      );
      return id;
    },
    writerSchema: (id) =>
      ask(
        async () => {
          const schema = await registry.getSchema(id);
          if (schema instanceof avro.Type) return schema;
          throw new MillraceError("SCHEMA_UNKNOWN", `Schema ${id} is no Avro schema.`);
        },
        (error) =>
          new MillraceError("SCHEMA_UNKNOWN", `The registry has no Avro schema ${id}.`, { cause: error }),
      ),
  };
}
