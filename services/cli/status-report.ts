import { type Latency, histogramOf, histogramSince, latencyOf } from "./latency-histogram.js";
import { type MetricSample, totalOf, totalsBy } from "./metrics-text.js";

export const stageNames = ["poller", "processor", "sink"] as const;
export type StageName = (typeof stageNames)[number];

/** What one service said of itself at one time. */
export interface ServiceReading {
  readonly ready: boolean;
  /** Why it is not ready, by condition. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Empty where the service did not answer. */
  readonly samples: readonly MetricSample[];
}

/** What the system said of itself at one time. */
export interface SystemReading {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly services: Readonly<Record<StageName, ServiceReading>>;
  /** How many messages the stage has not read yet; null where Kafka did not say. The poller reads no messages. */
  readonly lagMessages: Readonly<Record<"processor" | "sink", number | null>>;
}

/** Over the time between the two readings, and since the service started. */
export interface LatencyReport {
  readonly recent: Latency;
  readonly sinceStart: Latency;
}

export interface StageReport {
  readonly ready: boolean;
  readonly reasons: Readonly<Record<string, string>>;
  readonly uptimeSeconds: number | null;
  readonly residentBytes: number | null;
  /** What went through: samples for poller and processor, rows for the sink. */
  readonly perSecond: number | null;
  readonly total: number | null;
  /** Input not read yet; null for the poller. */
  readonly lagMessages: number | null;
  /** How far the poller's oldest watermark lies behind the clock; null for the others. */
  readonly lagSeconds: number | null;
  /** Poller: one poll. Processor: from reading Prometheus to committed features. Sink: one write to InfluxDB. */
  readonly latencySeconds: LatencyReport;
  /** By error code, since the service started: failed polls, or messages in metrics.dead. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface StatusReport {
  /** ISO 8601. */
  readonly at: string;
  /** Whether every stage is ready and Kafka tells their lag. */
  readonly ready: boolean;
  /** The time between the two readings. */
  readonly overSeconds: number;
  readonly samplesPerSecond: number | null;
  /** Rows written to InfluxDB since the sink started. */
  readonly rowsWritten: number | null;
  /** From the time that Prometheus gave a sample to InfluxDB's acknowledgement of its row; live samples only. */
  readonly scrapeToInfluxSeconds: LatencyReport;
  /** Each Prometheus that the poller reads, by name: whether its last query succeeded. */
  readonly sources: Readonly<Record<string, boolean>>;
  readonly stages: Readonly<Record<StageName, StageReport>>;
}

/** Where each stage's numbers are found on its /metrics page. */
const stageMetrics: Record<
  StageName,
  { total: string; latency: string; latencyLabels: Record<string, string>; failures: string }
> = {
  poller: {
    total: "millrace_poller_samples_total",
    latency: "millrace_poller_poll_duration_seconds",
    latencyLabels: {},
    failures: "millrace_poller_poll_failures_total",
  },
  processor: {
    total: "millrace_processor_samples_total",
    latency: "millrace_processor_latency_seconds",
    latencyLabels: { origin: "live" },
    failures: "millrace_processor_dead_letters_total",
  },
  sink: {
    total: "millrace_sink_rows_total",
    latency: "millrace_sink_write_duration_seconds",
    latencyLabels: {},
    failures: "millrace_sink_dead_letters_total",
  },
};

/** The state of the system from two readings of it. */
export function statusReport(earlier: SystemReading, later: SystemReading): StatusReport {
  const overSeconds = (later.at - earlier.at) / 1000;
  const stage = (name: StageName): StageReport => {
    const before = earlier.services[name].samples;
    const { ready, reasons, samples } = later.services[name];
    const metrics = stageMetrics[name];
    const startedAt = totalOf(samples, "process_start_time_seconds");
    const readUntil = Object.values(totalsBy(samples, "millrace_poller_read_until_seconds", "job"));
    return {
      ready,
      reasons,
      uptimeSeconds: startedAt === null ? null : later.at / 1000 - startedAt,
      residentBytes: totalOf(samples, "process_resident_memory_bytes"),
      perSecond: rate(totalOf(before, metrics.total), totalOf(samples, metrics.total), overSeconds),
      total: totalOf(samples, metrics.total),
      lagMessages: name === "poller" ? null : later.lagMessages[name],
      lagSeconds: readUntil.length === 0 ? null : later.at / 1000 - Math.min(...readUntil),
      latencySeconds: latencyReport(before, samples, metrics.latency, metrics.latencyLabels),
      failures: totalsBy(samples, metrics.failures, "code"),
    };
  };
  const stages = { poller: stage("poller"), processor: stage("processor"), sink: stage("sink") };
  return {
    at: new Date(later.at).toISOString(),
    ready:
      stageNames.every((name) => stages[name].ready) &&
      later.lagMessages.processor !== null &&
      later.lagMessages.sink !== null,
    overSeconds,
    samplesPerSecond: stages.poller.perSecond,
    rowsWritten: stages.sink.total,
    scrapeToInfluxSeconds: latencyReport(
      earlier.services.sink.samples,
      later.services.sink.samples,
      "millrace_sink_scrape_to_influx_seconds",
      { origin: "live" },
    ),
    sources: sourcesUp(later.services.poller.samples),
    stages,
  };
}

function sourcesUp(samples: readonly MetricSample[]): Record<string, boolean> {
  const up = totalsBy(samples, "millrace_poller_source_up", "source");
  return Object.fromEntries(Object.entries(up).map(([name, value]) => [name, value === 1]));
}

/** Per second; a counter that went back was restarted, and counts from 0. Null where either reading lacks it. */
function rate(before: number | null, now: number | null, seconds: number): number | null {
  if (before === null || now === null || seconds <= 0) return null;
  return (now - (before > now ? 0 : before)) / seconds;
}

function latencyReport(
  before: readonly MetricSample[],
  now: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): LatencyReport {
  const later = histogramOf(now, name, labels);
  return {
    recent: latencyOf(histogramSince(histogramOf(before, name, labels), later)),
    sinceStart: latencyOf(later),
  };
}
