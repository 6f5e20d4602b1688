import type { KafkaMessage } from "kafkajs";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import type { ReadFeatureFrame } from "../shared/frame-codec.js";
import { lineOf, linePrefix } from "./line-protocol.js";

/** A row that could not be written, by the message that it is in. */
export interface RefusedRow {
  readonly message: KafkaMessage;
  readonly line: string;
  readonly words: string;
}

/** Messages in a row whose offsets are committed together: lines for one write, or one retracted frame. */
export interface Slice {
  readonly messages: KafkaMessage[];
  readonly frames: ReadFeatureFrame[];
  readonly lines: string[];
  /** Which message each line is of. */
  readonly sources: KafkaMessage[];
  readonly retraction: ReadFeatureFrame | null;
  /** Messages that could not be read. */
  readonly poison: { message: KafkaMessage; error: MillraceError }[];
  readonly refused: RefusedRow[];
  /** Rows without a finite value or feature. */
  emptyRows: number;
}

function emptySlice(retraction: ReadFeatureFrame | null = null): Slice {
  return {
    messages: [],
    frames: [],
    lines: [],
    sources: [],
    retraction,
    poison: [],
    refused: [],
    emptyRows: 0,
  };
}

/**
 * Cuts a batch into slices of up to `linesMax` lines, made one at a time as they are asked for. A frame stays in one
 * slice, so one that alone has more lines makes a larger slice; a retracted frame stands alone, since it must come after
 * what it takes back and before what replaces it.
 */
export function* slices(
  messages: readonly KafkaMessage[],
  read: (value: Buffer | null) => ReadFeatureFrame,
  linesMax: number,
): Generator<Slice> {
  let slice = emptySlice();
  for (const message of messages) {
    let frame: ReadFeatureFrame;
    try {
      frame = read(message.value);
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (error.code !== "MESSAGE_UNDECODABLE" && error.code !== "SCHEMA_UNKNOWN") throw error;
      slice.messages.push(message);
      slice.poison.push({ message, error });
      continue;
    }
    if (frame.retracted) {
      if (slice.messages.length > 0) yield slice;
      const retraction = emptySlice(frame);
      retraction.messages.push(message);
      yield retraction;
      slice = emptySlice();
      continue;
    }
    if (slice.lines.length > 0 && slice.lines.length + frame.series.length > linesMax) {
      yield slice;
      slice = emptySlice();
    }
    slice.messages.push(message);
    slice.frames.push(frame);
    appendLines(slice, message, frame);
  }
  if (slice.messages.length > 0) yield slice;
}

function appendLines(slice: Slice, message: KafkaMessage, frame: ReadFeatureFrame): void {
  const { series, columns } = frame;
  for (let row = 0; row < series.length; row++) {
    const prefix = linePrefix(series[row]);
    if (prefix === null) {
      slice.refused.push({
        message,
        line: `${series[row].key} ${frame.timestamp}`,
        words: "Line protocol has no way to write a measurement that begins with #, a tab or NUL.",
      });
      continue;
    }
    const line = lineOf(prefix, frame, columns, row);
    if (line === null) {
      slice.emptyRows++;
    } else {
      slice.lines.push(line);
      slice.sources.push(message);
    }
  }
}
