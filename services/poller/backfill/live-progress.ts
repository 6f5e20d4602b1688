import { setTimeout as sleep } from "node:timers/promises";
import type { Gauge } from "prom-client";
import type { Config } from "../../shared/config-schema.js";
import type { PollerMetrics } from "../poller-metrics.js";

/** How far the live jobs are, by what they tell of themselves. */
export interface LiveProgress {
  /** The committed watermark of each job that has one, milliseconds since the epoch. */
  readonly watermarks: () => Promise<ReadonlyMap<string, number>>;
  /** Resolves once no job is behind, or after LONGEST_PAUSE_MS: a job that cannot get on must not keep all gaps open. */
  readonly untilUpToDate: (signal: AbortSignal) => Promise<void>;
}

const LONGEST_PAUSE_MS = 10_000;
const LOOK_INTERVAL_MS = 100;
/** A job that polls every minute is a minute behind. */
const INTERVALS_BEHIND = 3;

export function createLiveProgress(options: {
  metrics: Pick<PollerMetrics, "watermark" | "readUntil">;
  extract: Config["extract"];
  now: () => number;
}): LiveProgress {
  const { metrics, extract, now } = options;
  const isBehind = async (): Promise<boolean> => {
    const readUntil = await millisecondsByJob(metrics.readUntil);
    return Object.entries(extract.jobs).some(([job, { interval }]) => {
      const lagMs = now() - (readUntil.get(job) ?? -Infinity);
      return lagMs > Math.max(extract.backfill.live_lag_max, INTERVALS_BEHIND * interval);
    });
  };
  return {
    watermarks: () => millisecondsByJob(metrics.watermark),
    untilUpToDate: async (signal) => {
      const deadline = now() + LONGEST_PAUSE_MS;
      while (now() < deadline && (await isBehind())) await sleep(LOOK_INTERVAL_MS, undefined, { signal });
    },
  };
}

async function millisecondsByJob(gauge: Gauge<"job">): Promise<Map<string, number>> {
  const { values } = await gauge.get();
  return new Map(values.map(({ labels, value }) => [String(labels.job), Math.round(value * 1_000)]));
}
