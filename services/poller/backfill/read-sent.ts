import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { KafkaMessage } from "kafkajs";
import { type FrameReader, createRawReader, isForeign } from "../../shared/frame-codec.js";
import type { RawFrame } from "../../shared/frame.js";
import { readOffsets, readTopic } from "../../shared/kafka.js";
import type { RawTopic } from "../read-raw-frames.js";
import { type SentSamples, createSentSamples } from "../sent-samples.js";
import type { Window } from "../window.js";
import { type SentExtents, createSentExtents } from "./sent-extents.js";

/**
 * Where in metrics.raw the messages of a range lie. What is written later is not seen: nobody but the backfill writes what
 * is older than the live watermark. Rejects as readTopic does.
 */
export async function scanSent(range: Window, from: RawTopic, signal: AbortSignal): Promise<SentExtents> {
  const extents = createSentExtents(range);
  await readTopic(
    from.kafka,
    from.topic,
    { timestampMs: range.from + 1 },
    (messages, partition) => {
      for (const { offset, timestamp } of messages)
        extents.note(partition, Number(offset), Number(timestamp));
    },
    signal,
  );
  return extents;
}

/** Messages that are decoded without a pause, so that live polls are not held up: some milliseconds. */
const MESSAGES_AT_ONCE = 100;

/**
 * Which samples of the window are in metrics.raw, of the series (by key) and entities that are wanted only: as much memory as
 * they take at their source. An entity that other labels have named since is another one. Messages that are no frames are
 * somebody else's, and passed over. Rejects as readOffsets does.
 */
export async function readSent(
  window: Window,
  wanted: { source: string; series: ReadonlySet<string>; entities: ReadonlySet<string> },
  from: RawTopic & { extents: SentExtents },
  signal: AbortSignal,
): Promise<SentSamples> {
  const sent = createSentSamples();
  sent.forgetUpTo(window.from);
  const reader = createRawReader(from.schemas);
  await readOffsets(
    from.kafka,
    from.topic,
    from.extents.within(window),
    async (messages) => {
      const inWindow = messages.filter(
        ({ timestamp, key }) =>
          Number(timestamp) > window.from &&
          Number(timestamp) <= window.to &&
          wanted.entities.has(String(key)),
      );
      await reader.prepare(inWindow.map(({ value }) => value));
      for (let i = 0; i < inWindow.length; i++) {
        const frame = frameOf(reader, inWindow[i]);
        if (frame?.source === wanted.source) sent.add(onlySeries(frame, wanted.series));
        if (i % MESSAGES_AT_ONCE === MESSAGES_AT_ONCE - 1) await yieldToOthers();
      }
    },
    signal,
  );
  return sent;
}

function frameOf(reader: FrameReader<RawFrame>, { value }: KafkaMessage): RawFrame | null {
  try {
    return reader.read(value);
  } catch (error) {
    if (isForeign(error)) return null;
    throw error;
  }
}

function onlySeries(frame: RawFrame, keys: ReadonlySet<string>): RawFrame {
  return { ...frame, series: frame.series.filter(({ key }) => keys.has(key)) };
}
