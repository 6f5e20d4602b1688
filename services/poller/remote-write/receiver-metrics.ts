import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type ReceiverMetrics = ReturnType<typeof createReceiverMetrics>;

export function createReceiverMetrics(
  registry: Registry,
  now: { queued: () => number; remembered: () => number },
) {
  const registers = [registry];
  new Gauge({
    name: "millrace_poller_remote_write_queued_samples",
    help: "Samples of requests that wait for Kafka.",
    registers,
    collect() {
      this.set(now.queued());
    },
  });
  new Gauge({
    name: "millrace_poller_remote_write_remembered_samples",
    help: "Samples that are remembered as written, so that they are not written again.",
    registers,
    collect() {
      this.set(now.remembered());
    },
  });
  return {
    requests: new Counter({
      name: "millrace_poller_remote_write_requests_total",
      help: "Requests answered, by protocol (none where it was not looked at) and status.",
      labelNames: ["protocol", "status"],
      registers,
    }),
    duration: new Histogram({
      name: "millrace_poller_remote_write_request_duration_seconds",
      help: "From the end of a request's headers to its answer.",
      labelNames: ["protocol"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    refusedRequests: new Counter({
      name: "millrace_poller_remote_write_refused_requests_total",
      help: "Requests of which nothing was looked at or kept, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    refusedSamples: new Counter({
      name: "millrace_poller_remote_write_refused_samples_total",
      help: "Samples that were not written while the rest of their request was, by reason. They are lost.",
      labelNames: ["reason"],
      registers,
    }),
    refusedSeries: new Counter({
      name: "millrace_poller_remote_write_refused_series_total",
      help: "Requests that held series which were not written, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    dropped: new Counter({
      name: "millrace_poller_remote_write_dropped_total",
      help: "What has no place in a frame: native histograms and exemplars.",
      labelNames: ["kind"],
      registers,
    }),
    again: new Counter({
      name: "millrace_poller_remote_write_repeated_samples_total",
      help: "Samples that were sent again and not written again.",
      registers,
    }),
    kafkaFailures: new Counter({
      name: "millrace_poller_remote_write_kafka_failures_total",
      help: "Times that the receiver had to begin again with Kafka, by error code.",
      labelNames: ["code"],
      registers,
    }),
  };
}
