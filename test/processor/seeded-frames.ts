import type { RawFrame } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { randomStream, uniform } from "../../services/kernels/random.js";
import { TICK_MS } from "./made-input.js";

/** Counters start again from zero after so many ticks. */
const TICKS_TO_RESET = 50;

export interface SeededInput {
  readonly seed: number;
  /** Event time of the first tick: of late, or Kafka's retention would take the messages away. */
  readonly startMs: number;
  readonly entities: number;
  /** Share of the frames that come late, by up to `delayTicksMax` ticks. */
  readonly lateShare: number;
  readonly delayTicksMax: number;
}

/** Frames in the order in which they come, tick by tick and without end: a gauge, a counter, and one that is no number at times. */
export function* seededFrames(input: SeededInput): Generator<RawFrame[], never> {
  const waiting = new Map<number, RawFrame[]>();
  for (let tick = 0; ; tick++) {
    const random = randomStream(input.seed, "frames", tick);
    const coming = waiting.get(tick) ?? [];
    waiting.delete(tick);
    for (let entity = 0; entity < input.entities; entity++) {
      const frame = frameAt(input, entity, tick, random);
      const isLate = random() < input.lateShare;
      const arrives = isLate ? tick + 1 + Math.floor(random() * input.delayTicksMax) : tick;
      if (arrives === tick) coming.push(frame);
      else waiting.set(arrives, [...(waiting.get(arrives) ?? []), frame]);
    }
    yield coming;
  }
}

function frameAt({ startMs }: SeededInput, entity: number, tick: number, random: () => number): RawFrame {
  const labels = { job: "api", instance: `10.0.0.${entity}:9100` };
  const timestamp = startMs + tick * TICK_MS;
  const oddValue = random() < 0.1 ? NaN : random() < 0.1 ? -Infinity : uniform(random, -1, 1);
  return {
    entity: internEntity(labels),
    timestamp,
    origin: "live",
    source: "test",
    ingestedAt: timestamp + 1,
    series: [
      internSeries("temperature", labels, "gauge"),
      internSeries("requests_total", labels, "counter"),
      // Its type is learned after the first samples.
      internSeries("odd", labels, tick < 5 ? "unknown" : "gauge"),
    ],
    values: Float64Array.of(
      uniform(random, 0, 100),
      (tick % TICKS_TO_RESET) * 7 + Math.floor(uniform(random, 0, 7)),
      oddValue,
    ),
    stale: Uint8Array.of(0, 0, random() < 0.02 ? 1 : 0),
  };
}
