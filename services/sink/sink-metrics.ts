import { Counter, Histogram, type Registry } from "prom-client";

export type SinkMetrics = ReturnType<typeof createSinkMetrics>;

export function createSinkMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: "millrace_sink_rows_total",
      help: "Rows that InfluxDB acknowledged.",
      registers,
    }),
    frames: new Counter({
      name: "millrace_sink_frames_total",
      help: "Frames whose rows are all accounted for.",
      registers,
    }),
    skippedRows: new Counter({
      name: "millrace_sink_skipped_rows_total",
      help: "Rows that hold nothing to write.",
      labelNames: ["reason"],
      registers,
    }),
    refusedRows: new Counter({
      name: "millrace_sink_refused_rows_total",
      help: "Rows that InfluxDB refused, and that went into dead letters.",
      registers,
    }),
    retractedRows: new Counter({
      name: "millrace_sink_retracted_rows_total",
      help: "Rows that were deleted from InfluxDB, since they were retracted.",
      registers,
    }),
    deadLetters: new Counter({
      name: "millrace_sink_dead_letters_total",
      help: "Messages that were sent to metrics.dead, by the error's code.",
      labelNames: ["code"],
      registers,
    }),
    requestFailures: new Counter({
      name: "millrace_sink_influx_failures_total",
      help: "Requests that InfluxDB did not answer or answered with an error other than a refusal, by the error's code.",
      labelNames: ["code"],
      registers,
    }),
    batchLines: new Histogram({
      name: "millrace_sink_batch_lines",
      help: "Lines of one write.",
      buckets: [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000],
      registers,
    }),
    writeDuration: new Histogram({
      name: "millrace_sink_write_duration_seconds",
      help: "One write that InfluxDB acknowledged or refused, compression included.",
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    latency: new Histogram({
      name: "millrace_sink_scrape_to_influx_seconds",
      help: "From the scrape, a frame's event time, to InfluxDB's acknowledgement of its rows; of corrections and filled gaps none.",
      labelNames: ["origin"],
      buckets: [
        0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5,
        6, 8, 10, 30, 60, 300, 3600,
      ],
      registers,
    }),
  };
}
