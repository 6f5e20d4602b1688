import { EMPTY, type OperatorFunction, concatMap, of } from "rxjs";
import { MillraceError, asMillraceError } from "../../shared/errors.js";
import type { FrameReader } from "../../shared/frame-codec.js";
import type { RawFrame } from "../../shared/frame.js";
import type { At } from "./validate.js";

/** What the pipeline needs of a Kafka message. */
export interface InputMessage {
  readonly offset: string;
  readonly value: Buffer | null;
}

/** A timestamp further ahead of `ingestedAt` than clocks differ would move the watermark past all that is to come. */
const FUTURE_LIMIT_MS = 300_000;

/** Messages as frames. What cannot be a frame goes to `onPoison` with the reason, and the stream goes on. */
export function decode<Message extends InputMessage>(
  reader: FrameReader<RawFrame>,
  onPoison: (message: Message, error: MillraceError) => void,
): OperatorFunction<Message, At<RawFrame>> {
  return concatMap((message) => {
    try {
      const frame = reader.read(message.value);
      refuseImpossible(frame);
      return of({ offset: Number(message.offset), frame });
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (error.code === "INTERNAL") throw error;
      onPoison(message, error);
      return EMPTY;
    }
  });
}

/** Throws INPUT_INVALID. */
export function refuseImpossible({ timestamp, ingestedAt }: RawFrame): void {
  if (timestamp > ingestedAt + FUTURE_LIMIT_MS) {
    const seconds = Math.round((timestamp - ingestedAt) / 1000);
    throw new MillraceError("INPUT_INVALID", `The frame's timestamp is ${seconds} s later than it was read.`);
  }
}
