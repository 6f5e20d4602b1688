import { isUtf8 } from "node:buffer";
import protobuf from "protobufjs/minimal.js";
import type { Reader } from "protobufjs/minimal.js";

/**
 * Protobuf's wire format, read by protobufjs field by field, since a request is tens of thousands of small messages of
 * which only labels, values and times are wanted. Stricter than protobufjs, which reads on where a message ends within a
 * field. All of it throws, whatever error, where the bytes are no such message.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

export type { Reader } from "protobufjs/minimal.js";

/** A field's number and wire type, as they stand before it. */
export const tag = {
  varint: (field: number) => field << 3,
  double: (field: number) => (field << 3) | 1,
  bytes: (field: number) => (field << 3) | 2,
} as const;

export function readerOf(buffer: Buffer): Reader {
  return protobuf.Reader.create(buffer);
}

/** Where the field that begins here ends: its length comes first. */
export function endOfField(reader: Reader, end: number): number {
  const length = reader.uint32();
  const fieldEnd = reader.pos + length;
  if (fieldEnd > end) throw new RangeError("a field is longer than its message");
  return fieldEnd;
}

/** Passes over a field that is of no use. */
export function skipField(reader: Reader, fieldTag: number, end: number): void {
  const wireType = fieldTag & 7;
  // Groups went with proto2; they nest, so skipping them takes a stack as deep as whoever sends them wants.
  if (fieldTag >>> 3 === 0 || wireType === 3 || wireType === 4)
    throw new RangeError(`${fieldTag} begins no field`);
  if (wireType === 2) reader.pos = endOfField(reader, end);
  else reader.skipType(wireType);
}

/** To be called where a message should have ended. */
export function assertEnd(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new RangeError("a message ends within a field");
}

/** Within ±2^53; the nearest double beyond. */
export function readInt64(reader: Reader): number {
  const value = reader.int64();
  return typeof value === "number" ? value : value.high * 2 ** 32 + (value.low >>> 0);
}

/** A field of text; null where its bytes are not UTF-8, of which protobufjs would make something else. */
export function readText(reader: Reader, end: number): string | null {
  const to = endOfField(reader, end);
  const bytes = reader.buf.subarray(reader.pos, to) as Buffer;
  reader.pos = to;
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}
