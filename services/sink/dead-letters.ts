import type { Kafka } from "kafkajs";
import { type IdempotentProducer, type OutgoingMessage, openIdempotentProducer } from "../shared/kafka.js";

export interface DeadLetters {
  /** Resolves when all replicas have the letters. Rejects with KAFKA_UNAVAILABLE; sending them again may then double some. */
  readonly send: (letters: readonly OutgoingMessage[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One producer for all partitions, opened with the first letter: a sink that has none to send needs none. */
export function createDeadLetters(kafka: Kafka): DeadLetters {
  let producer: IdempotentProducer | undefined;
  // A producer takes one send at a time, and none after a failure.
  let last: Promise<unknown> = Promise.resolve();

  async function sendNow(letters: readonly OutgoingMessage[]): Promise<void> {
    producer ??= await openIdempotentProducer(kafka);
    const used = producer;
    try {
      await used.send(letters);
    } catch (error) {
      producer = undefined;
      await used.close();
      throw error;
    }
  }

  return {
    send: (letters) => {
      const sending = last.then(() => sendNow(letters));
      last = sending.catch(() => undefined);
      return sending;
    },
    close: async () => {
      await last;
      await producer?.close();
    },
  };
}
