import type { Kafka } from "kafkajs";
import type { Config } from "../shared/config-schema.js";
import { asKafkaError, openIdempotentProducer, openTransactionalProducer } from "../shared/kafka.js";
import type { Logger } from "../shared/telemetry.js";
import type { OpenCommitter } from "./partition-owner.js";

export interface CommitterOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly delivery: Config["kafka"]["delivery"];
  readonly logger: Logger;
}

/** Exactly once has one transactional id a partition, so that opening a committer fences the partition's last owner. */
export function committers({ kafka, groupId, delivery, logger }: CommitterOptions): OpenCommitter {
  if (delivery === "exactly_once") {
    return (partition) => openTransactionalProducer(kafka, `${groupId}.${partition}`, logger);
  }
  return async (_partition, commitOffset) => {
    const producer = await openIdempotentProducer(kafka);
    return {
      commit: async (messages, { offset, metadata }) => {
        await producer.send(messages);
        try {
          await commitOffset(offset, metadata);
        } catch (error) {
          throw asKafkaError(error);
        }
      },
      close: producer.close,
    };
  };
}
