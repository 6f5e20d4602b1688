import { MAX_VALUE_BYTES, schemaIdOf } from "./frame-codec.js";
import type { MillraceError } from "./errors.js";
import type { OutgoingMessage } from "./kafka.js";
import type { Logger } from "./telemetry.js";
import { topicName } from "./topics.js";

/** The message that cannot be processed, as it was read; a kafkajs message with its topic and partition is one. */
export interface DeadOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Kafka's record timestamp, milliseconds since the epoch. */
  readonly timestamp: string;
}

export interface DeathNote {
  /** Which service gave the message up. */
  readonly stage: "poller" | "processor" | "sink";
  readonly error: MillraceError;
  /** When, milliseconds since the epoch: the dead letter's own timestamp, so that its retention begins now. */
  readonly now: number;
  /** More headers, beside topic, partition, offset, timestamp, schema_id, stage, code and message. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A broker accepts no record batch above 1 MiB, headers included. */
const MAX_HEADER_CHARACTERS = 8_000;

/**
 * The dead letter of a message: the original key and bytes, and in the headers where it came from and why it died.
 * A value above MAX_VALUE_BYTES is cut there, and the header `bytes` says how long it was.
 */
export function deadLetter(topicPrefix: string, origin: DeadOrigin, note: DeathNote): OutgoingMessage {
  const { key, value } = origin;
  const { stage, error, now } = note;
  const isCut = value !== null && value.length > MAX_VALUE_BYTES;
  return {
    topic: topicName("dead", topicPrefix),
    partition: 0,
    key,
    value: isCut ? value.subarray(0, MAX_VALUE_BYTES) : value,
    timestamp: now,
    headers: {
      topic: origin.topic,
      partition: String(origin.partition),
      offset: origin.offset,
      timestamp: origin.timestamp,
      schema_id: schemaIdText(value),
      stage,
      code: error.code,
      message: error.message.slice(0, MAX_HEADER_CHARACTERS),
      ...(isCut ? { bytes: String(value.length) } : {}),
      ...note.headers,
    },
  };
}

/** As much of an error's message as fits a log line. */
const MAX_LOGGED_CHARACTERS = 500;

/** Tells of the letters of one partition in one line for each code, with the first letter's offset and message. */
export function logDeadLetters(
  logger: Logger,
  { topic, partition }: Pick<DeadOrigin, "topic" | "partition">,
  letters: readonly { readonly message: { readonly offset: string }; readonly error: MillraceError }[],
): void {
  for (const code of new Set(letters.map(({ error }) => error.code))) {
    const ofCode = letters.filter(({ error }) => error.code === code);
    const [{ message, error }] = ofCode;
    const { offset } = message;
    logger.warn(
      {
        event: "messages.dead_lettered",
        topic,
        partition,
        offset,
        letters: ofCode.length,
        code,
        action: error.action,
      },
      error.message.slice(0, MAX_LOGGED_CHARACTERS),
    );
  }
}

/** Empty where the value carries none. */
function schemaIdText(value: Buffer | null): string {
  try {
    return String(schemaIdOf(value));
  } catch {
    return "";
  }
}
