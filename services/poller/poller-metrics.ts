import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { LeftOut } from "./left-out.js";
import { leftOutCodes } from "./limits.js";

export type PollerMetrics = ReturnType<typeof createPollerMetrics>;

export function createPollerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    samples: new Counter({
      name: "millrace_poller_samples_total",
      help: "Samples acknowledged by Kafka.",
      labelNames: ["job", "origin"],
      registers,
    }),
    frames: new Counter({
      name: "millrace_poller_frames_total",
      help: "Frames acknowledged by Kafka.",
      labelNames: ["job", "origin"],
      registers,
    }),
    lateSamples: new Counter({
      name: "millrace_poller_late_samples_total",
      help: "Samples that were stored after a poll had already read beyond their time.",
      labelNames: ["job"],
      registers,
    }),
    histograms: new Counter({
      name: "millrace_poller_native_histograms_skipped_total",
      help: "Samples of native histograms, which have no place in a frame. The overlap counts them again.",
      labelNames: ["job"],
      registers,
    }),
    seriesLeftOut: new Gauge({
      name: "millrace_poller_series_left_out",
      help: "Series that a limit or the job's rules keep out now, by error code.",
      labelNames: ["job", "code"],
      registers,
    }),
    samplesLeftOut: new Counter({
      name: "millrace_poller_samples_left_out_total",
      help: "Samples of windows of a second that were too many. The overlap counts them again.",
      labelNames: ["job"],
      registers,
    }),
    recovered: new Counter({
      name: "millrace_poller_recovered_samples_total",
      help: "Samples that Prometheus counted and an answer lacked, and that another answer had.",
      labelNames: ["job"],
      registers,
    }),
    missing: new Gauge({
      name: "millrace_poller_missing_samples",
      help: "Samples that Prometheus counts in the last window that was compared, and does not show.",
      labelNames: ["job"],
      registers,
    }),
    pollDuration: new Histogram({
      name: "millrace_poller_poll_duration_seconds",
      help: "From the first query of a window to Kafka's acknowledgement of its last frame.",
      labelNames: ["job"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    delay: new Histogram({
      name: "millrace_poller_delay_seconds",
      help: "From a live frame's event time to Kafka's acknowledgement.",
      labelNames: ["job"],
      buckets: [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 5, 10, 30, 60, 120, 300],
      registers,
    }),
    sourceUp: new Gauge({
      name: "millrace_poller_source_up",
      help: "1 if the last query of the source succeeded, 0 if it failed.",
      labelNames: ["source"],
      registers,
    }),
    queries: new Counter({
      name: "millrace_poller_queries_total",
      help: "Queries of the source, each retry counted, by outcome: success or failure.",
      labelNames: ["source", "outcome"],
      registers,
    }),
    pollFailures: new Counter({
      name: "millrace_poller_poll_failures_total",
      help: "Polls that were given up, by error code.",
      labelNames: ["job", "code"],
      registers,
    }),
    kafkaFailures: new Counter({
      name: "millrace_poller_kafka_failures_total",
      help: "Times that the job had to begin again with Kafka, by error code.",
      labelNames: ["job", "code"],
      registers,
    }),
    watermark: new Gauge({
      name: "millrace_poller_watermark_seconds",
      help: "Unix time up to which every sample of the job is in Kafka for good; the overlap behind the last poll.",
      labelNames: ["job"],
      registers,
    }),
    readUntil: new Gauge({
      name: "millrace_poller_read_until_seconds",
      help: "Unix time up to which the last poll read: what Prometheus had stored by then is in Kafka.",
      labelNames: ["job"],
      registers,
    }),
    remembered: new Gauge({
      name: "millrace_poller_remembered_samples",
      help: "Samples newer than the watermark that are remembered as sent.",
      labelNames: ["job"],
      registers,
    }),
  };
}

export function countLeftOut(
  job: string,
  { series, samples }: LeftOut,
  metrics: Pick<PollerMetrics, "seriesLeftOut" | "samplesLeftOut">,
): void {
  for (const code of leftOutCodes)
    if (code !== "LIMIT_SAMPLES") metrics.seriesLeftOut.set({ job, code }, series.get(code)?.count ?? 0);
  metrics.samplesLeftOut.inc({ job }, samples);
}
