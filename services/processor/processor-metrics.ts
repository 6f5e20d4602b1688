import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type ProcessorMetrics = ReturnType<typeof createProcessorMetrics>;

/** Seconds; fine below the second that is the goal. */
const latencyBuckets = [
  0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300,
];

export function createProcessorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    frames: new Counter({
      name: "millrace_processor_frames_total",
      help: "Frames of metrics.raw that were processed.",
      registers,
    }),
    samples: new Counter({
      name: "millrace_processor_samples_total",
      help: "Samples in those frames.",
      registers,
    }),
    rows: new Counter({
      name: "millrace_processor_rows_total",
      help: "Rows of features that were emitted.",
      registers,
    }),
    outcomes: new Counter({
      name: "millrace_processor_irregular_samples_total",
      help: "Samples that did not simply append: late, repeated, conflicting, or too late for the state.",
      labelNames: ["outcome"],
      registers,
    }),
    brokenRules: new Counter({
      name: "millrace_processor_validation_failures_total",
      help: "Samples that broke a rule, by rule; one that breaks two counts at both.",
      labelNames: ["rule"],
      registers,
    }),
    failedRules: new Counter({
      name: "millrace_processor_rule_errors_total",
      help: "Judgements that failed, since the rule's expression had no answer; the sample is not flagged.",
      labelNames: ["rule"],
      registers,
    }),
    typeChanges: new Counter({
      name: "millrace_processor_type_changes_total",
      help: "Samples whose declared type, or whose form, is not that of the sample of their series before.",
      registers,
    }),
    deadLetters: new Counter({
      name: "millrace_processor_dead_letters_total",
      help: "Messages that went to metrics.dead.",
      labelNames: ["code"],
      registers,
    }),
    commitFailures: new Counter({
      name: "millrace_processor_commit_failures_total",
      help: "Commits whose outcome was unknown; the partition was taken anew.",
      labelNames: ["code"],
      registers,
    }),
    latency: new Histogram({
      name: "millrace_processor_latency_seconds",
      help: "From the poller's reading of a frame to the commit of its features.",
      labelNames: ["origin"],
      buckets: latencyBuckets,
      registers,
    }),
    commitDuration: new Histogram({
      name: "millrace_processor_commit_duration_seconds",
      help: "Time to bring one slice's outputs and offset to Kafka.",
      buckets: latencyBuckets,
      registers,
    }),
    rebuilding: new Gauge({
      name: "millrace_processor_rebuild_remaining_messages",
      help: "Messages that a partition must still read before it goes on.",
      labelNames: ["partition"],
      registers,
    }),
    series: new Gauge({
      name: "millrace_processor_series",
      help: "Series that the state holds.",
      labelNames: ["partition"],
      registers,
    }),
    retained: new Gauge({
      name: "millrace_processor_retained_samples",
      help: "Samples that the state holds.",
      labelNames: ["partition"],
      registers,
    }),
    watermark: new Gauge({
      name: "millrace_processor_watermark_seconds",
      help: "Newest event time of a partition, since the epoch.",
      labelNames: ["partition"],
      registers,
    }),
  };
}
