import { type RawTopic, readRawFrames } from "../read-raw-frames.js";
import { type CommittedSamples, createCommittedSamples } from "./committed-samples.js";
import type { PushedTypes } from "./metadata-types.js";
import type { Positions } from "./receiver-position.js";
import { PUSHED_SOURCE } from "../../shared/source-name.js";

/**
 * What was pushed to Kafka of late, read back from metrics.raw itself, and the types of its metrics. Rejects as readTopic
 * does.
 */
export async function recoverCommitted(
  positions: Positions,
  from: RawTopic & { schemaId: number; types: PushedTypes; rememberedMax: number },
  signal: AbortSignal,
): Promise<CommittedSamples> {
  const committed = createCommittedSamples(from.rememberedMax);
  await readRawFrames(
    from,
    { offsets: positions },
    () => true,
    ({ origin, source, timestamp, series, values, stale }) => {
      if (origin !== "remote_write" || source !== PUSHED_SOURCE) return;
      for (let i = 0; i < series.length; i++) {
        committed.add(series[i], timestamp, values[i], stale[i] === 1);
        from.types.restore(series[i].metric, series[i].type);
      }
    },
    signal,
  );
  return committed;
}
