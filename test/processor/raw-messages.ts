import avro from "avsc";
import type { KafkaMessage } from "kafkajs";
import { MillraceError } from "../../services/shared/errors.js";
import { type WriterSchemas, encodeRawFrame } from "../../services/shared/frame-codec.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { schemaText } from "../../services/shared/topics.js";

export const RAW_SCHEMA_ID = 7;

/** A registry that knows the schema of metrics.raw and no other. */
export const rawSchemas: WriterSchemas = {
  writerSchema: (id) =>
    id === RAW_SCHEMA_ID
      ? Promise.resolve(avro.Type.forSchema(JSON.parse(schemaText("metrics.raw.avsc")) as avro.Schema))
      : Promise.reject(new MillraceError("SCHEMA_UNKNOWN", `No schema ${id}.`)),
};

/** A frame as a message of metrics.raw. */
export function rawMessage(frame: RawFrame, offset: number): KafkaMessage {
  return {
    key: Buffer.from(frame.entity.key),
    value: encodeRawFrame(RAW_SCHEMA_ID, frame),
    timestamp: String(frame.timestamp),
    offset: String(offset),
    attributes: 0,
    headers: {},
  };
}
