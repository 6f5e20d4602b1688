import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type BackfillMetrics = ReturnType<typeof createBackfillMetrics>;

export function createBackfillMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Gauge({
      name: "millrace_backfill_requests",
      help: "Requests of the last 30 days by what has come of them: requested, healing, healed, unhealable, failed, cancelled.",
      labelNames: ["state"],
      registers,
    }),
    samples: new Counter({
      name: "millrace_backfill_samples_total",
      help: "Samples of requested ranges that the source has: sent now, or known to be in Kafka already.",
      labelNames: ["job", "outcome"],
      registers,
    }),
    chunkDuration: new Histogram({
      name: "millrace_backfill_chunk_duration_seconds",
      help: "From the first query of a chunk to Kafka's acknowledgement of its last frame, pauses for live data included.",
      labelNames: ["job"],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    failures: new Counter({
      name: "millrace_backfill_failures_total",
      help: "Times that the backfill had to begin again or gave a request up, by error code.",
      labelNames: ["code"],
      registers,
    }),
  };
}
