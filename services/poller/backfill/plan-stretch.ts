import type { SourceGap } from "../../shared/backfill-request.js";
import type { PrometheusClient } from "../prometheus-client.js";
import type { Window } from "../window.js";
import { countSamples, findSourceGaps } from "./count-samples.js";
import { type Chunk, planChunks } from "./plan-chunks.js";

/** What is to be read of a stretch of time, and what its source has nothing of. */
export interface StretchPlan {
  /** From end to end, in order. */
  readonly chunks: Chunk[];
  readonly gaps: SourceGap[];
}

/** A stretch is counted in so many steps, whole seconds each. */
const STEPS = 120;
/** Gaps of the source are told to this, where a step of the count is longer. */
const GAP_STEP_MAX_MS = 30_000;

/** Asks for the counts first, so that no chunk is too large, however bursts lie. Rejects as the client does. */
export async function planStretch(
  stretch: Window,
  from: {
    client: PrometheusClient;
    selectors: readonly string[];
    samplesMax: number;
    cuts: readonly number[];
  },
  signal: AbortSignal,
): Promise<StretchPlan> {
  const { client, selectors, samplesMax, cuts } = from;
  const stepMs = Math.max(1, Math.ceil((stretch.to - stretch.from) / STEPS / 1_000)) * 1_000;
  const counts = await countSamples(client, selectors, stretch, stepMs, signal);
  const gaps = await findSourceGaps(client, selectors, stretch, Math.min(stepMs, GAP_STEP_MAX_MS), signal);
  return { chunks: planChunks(stretch, counts, samplesMax, cuts), gaps };
}

/** Chunks that follow each other, in groups of `samplesMax` together, or of one. */
export function groupChunks(chunks: readonly Chunk[], samplesMax: number): Chunk[][] {
  const groups: Chunk[][] = [];
  let samples = Infinity;
  for (const chunk of chunks) {
    samples += chunk.expected;
    if (samples > samplesMax) {
      groups.push([]);
      samples = chunk.expected;
    }
    groups[groups.length - 1].push(chunk);
  }
  return groups;
}
