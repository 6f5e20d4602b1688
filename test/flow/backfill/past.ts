import { randomStream } from "../../../services/kernels/random.js";
import { type Prometheus, findPrometheus3, openPrometheus } from "../../oracle/prometheus.js";
import type { WrittenSeries } from "../../oracle/remote-write.js";
import type { Range } from "../samples.js";

/** A Prometheus with a past: targets of the job `shop` that were scraped, and were down for a while. */
export interface Past extends Prometheus {
  /** All of the past, milliseconds since the epoch. */
  readonly range: Range;
  /** When the instance `down` was so: `up` is 0, and nothing else is there. */
  readonly down: Range;
  /** Writes what a scrape of all targets would see at this time. */
  readonly scrape: (timestamp: number) => Promise<void>;
}

export interface PastOptions {
  readonly lengthMs: number;
  readonly intervalMs: number;
  readonly instances: number;
  readonly metrics: number;
}

/** Values that print in many ways. */
const special = [NaN, Infinity, -Infinity, -0, 5e-324, 1e300, 0.1 + 0.2];

/** Ends a minute before now. */
export async function openPast({ lengthMs, intervalMs, instances, metrics }: PastOptions): Promise<Past> {
  const program = findPrometheus3();
  if (program === null)
    throw new Error("No Prometheus 3: `npm test -- backfill` brings one, where Go is installed.");
  const to = Math.floor((Date.now() - 60_000) / 1_000) * 1_000;
  const range = { from: to - lengthMs, to };
  const down = { from: to - Math.floor(lengthMs / 2), to: to - Math.floor(lengthMs / 4) };
  const random = randomStream(1, "past", 0);
  const valueAt = () => {
    const draw = random();
    return draw < 0.01 ? special[Math.floor(draw * 700)] : draw * 1_000;
  };
  const seriesOf = (times: (isDown: boolean) => number[]) =>
    Array.from({ length: instances }, (_, i) => (i === 0 ? "down" : `i${i}`)).flatMap((instance) => {
      const target = { job: "shop", instance };
      const all = times(false);
      const seen = times(instance === "down");
      const wasSeen = new Set(seen);
      const up: WrittenSeries = {
        labels: { __name__: "up", ...target },
        timestamps: Float64Array.from(all),
        values: Float64Array.from(all, (ms) => (wasSeen.has(ms) ? 1 : 0)),
      };
      const sold = Array.from({ length: metrics }, (__, m) => ({
        labels: { __name__: `sold_${m}`, ...target, shelf: `s"${m}\\` },
        timestamps: Float64Array.from(seen),
        values: Float64Array.from(seen, valueAt),
      }));
      return [up, ...sold];
    });
  const times: number[] = [];
  // Not on whole intervals, as scrapes are.
  for (let ms = range.from + 137; ms <= range.to; ms += intervalMs) times.push(ms);
  const whileUp = times.filter((ms) => ms <= down.from || ms > down.to);
  const prometheus = await openPrometheus(
    program,
    seriesOf((isDown) => (isDown ? whileUp : times)),
  );
  return {
    ...prometheus,
    range,
    down,
    scrape: (timestamp) => prometheus.write(seriesOf(() => [timestamp])),
  };
}
