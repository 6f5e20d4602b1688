import { type RawTopic, readRawFrames } from "./read-raw-frames.js";
import { type SentSamples, createSentSamples } from "./sent-samples.js";

/**
 * What is in Kafka beyond the watermark, read back from metrics.raw itself: there is no second record of it that could
 * disagree. Rejects as readTopic does.
 */
export async function recoverSent(
  watermark: number,
  from: RawTopic & { schemaId: number; source: string },
  signal: AbortSignal,
): Promise<SentSamples> {
  const sent = createSentSamples();
  sent.forgetUpTo(watermark);
  await readRawFrames(
    from,
    { timestampMs: watermark + 1 },
    ({ timestamp }) => Number(timestamp) > watermark,
    (frame) => {
      if (frame.source === from.source) sent.add(frame);
    },
    signal,
  );
  return sent;
}
