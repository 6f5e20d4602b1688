import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMetricsText } from "../../services/cli/metrics-text.js";
import { type SystemReading, statusReport } from "../../services/cli/status-report.js";
import { statusView } from "../../services/cli/status-view.js";
import { noPaint } from "../../services/cli/terminal.js";

const startedAt = 1_760_000_000;

/** A system that has run for so many seconds at 100 samples and 90 rows a second. */
function reading(seconds: number, change: Partial<SystemReading> = {}): SystemReading {
  const service = (text: string) => ({
    ready: true,
    reasons: {},
    samples: parseMetricsText(
      `process_start_time_seconds ${startedAt}\nprocess_resident_memory_bytes 9.5e7\n${text}`,
    ),
  });
  const histogram = (name: string, labels: string, fast: number, slow: number) =>
    `${name}_bucket{${labels}le="1"} ${fast}\n${name}_bucket{${labels}le="2"} ${fast + slow}\n` +
    `${name}_bucket{${labels}le="+Inf"} ${fast + slow}\n`;
  return {
    at: (startedAt + seconds) * 1000,
    services: {
      poller: service(
        `millrace_poller_samples_total{job="a"} ${60 * seconds}\nmillrace_poller_samples_total{job="b"} ${40 * seconds}\n` +
          `millrace_poller_read_until_seconds{job="a"} ${startedAt + seconds - 1}\n` +
          `millrace_poller_read_until_seconds{job="b"} ${startedAt + seconds - 3}\n` +
          `millrace_poller_poll_failures_total{code="PROM_TIMEOUT"} 2\n` +
          'millrace_poller_source_up{source="prometheus"} 1\nmillrace_poller_source_up{source="eu"} 0\n' +
          histogram("millrace_poller_poll_duration_seconds", "", seconds, 0),
      ),
      processor: service(
        `millrace_processor_samples_total ${100 * seconds}\n` +
          histogram("millrace_processor_latency_seconds", 'origin="live",', seconds, 0),
      ),
      sink: service(
        `millrace_sink_rows_total ${90 * seconds}\n` +
          histogram("millrace_sink_scrape_to_influx_seconds", 'origin="live",', 90 * seconds, 10 * seconds) +
          histogram("millrace_sink_scrape_to_influx_seconds", 'origin="backfill",', 0, 1e6),
      ),
    },
    lagMessages: { processor: 3, sink: 4 },
    ...change,
  };
}

describe("statusReport", () => {
  const report = statusReport(reading(100), reading(110));

  it("has rates from two readings, summed over labels", () => {
    assert.equal(report.overSeconds, 10);
    assert.equal(report.samplesPerSecond, 100);
    assert.equal(report.stages.sink.perSecond, 90);
    assert.equal(report.rowsWritten, 9900);
  });

  it("has the lag of each stage: messages, and the oldest watermark's age", () => {
    assert.equal(report.stages.poller.lagSeconds, 3);
    assert.equal(report.stages.poller.lagMessages, null);
    assert.equal(report.stages.processor.lagMessages, 3);
    assert.equal(report.stages.sink.lagMessages, 4);
    assert.equal(report.stages.sink.lagSeconds, null);
  });

  it("counts live samples only in the latency from scrape to InfluxDB", () => {
    assert.equal(report.scrapeToInfluxSeconds.sinceStart.count, 100 * 110);
    assert.equal(report.scrapeToInfluxSeconds.recent.count, 100 * 10);
    assert.equal(report.scrapeToInfluxSeconds.recent.p99, 1.9);
  });

  it("tells uptime, memory and failures", () => {
    assert.equal(report.stages.processor.uptimeSeconds, 110);
    assert.equal(report.stages.processor.residentBytes, 9.5e7);
    assert.deepEqual(report.stages.poller.failures, { PROM_TIMEOUT: 2 });
  });

  it("tells of each Prometheus whether it answers", () => {
    assert.deepEqual(report.sources, { prometheus: true, eu: false });
  });

  it("counts from zero after a restart, and knows no rate without an earlier reading", () => {
    const nothing = { ready: false, reasons: { answer: "nothing answers on port 9303" }, samples: [] };
    const without = reading(100);
    const earlier = { ...without, services: { ...without.services, sink: nothing } };
    assert.equal(statusReport(earlier, reading(110)).stages.sink.perSecond, null);
    const restarted = reading(5);
    assert.equal(
      statusReport(reading(100), { ...restarted, at: (startedAt + 110) * 1000 }).samplesPerSecond,
      50,
    );
  });

  it("is ready only when every stage is and Kafka tells their lag", () => {
    assert.equal(report.ready, true);
    const silent = reading(110, { lagMessages: { processor: null, sink: null } });
    assert.equal(statusReport(reading(100), silent).ready, false);
    const later = reading(110);
    const stopped = { ready: false, reasons: { stop: "stopping" }, samples: [] };
    const broken = { ...later, services: { ...later.services, processor: stopped } };
    assert.equal(statusReport(reading(100), broken).ready, false);
  });

  it("is JSON without loss: what is not known is null", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});

describe("statusView", () => {
  it("shows what matters, within 80 columns", () => {
    const lines = statusView(statusReport(reading(100), reading(110)), noPaint);
    assert.deepEqual(lines, [
      "Millrace  ready  08:55:10 UTC, over 10 s",
      "",
      "  100 samples a second   9,900 rows written to InfluxDB",
      "  scrape to InfluxDB:  p50 556 ms  p95 1.50 s  p99 1.90 s",
      "     since the start:  p50 556 ms  p95 1.50 s  p99 1.90 s",
      "",
      "STAGE      STATE   PER SECOND     LAG     P50     P99  MEMORY",
      "poller     ready  100 samples  3.00 s  500 ms  990 ms   95 MB",
      "processor  ready  100 samples   3 msg  500 ms  990 ms   95 MB",
      "sink       ready      90 rows   4 msg       —       —   95 MB",
      "",
      "poller: PROM_TIMEOUT: 2 failed polls since the start",
    ]);
  });

  it("stays within 80 columns with large numbers", () => {
    const large = reading(9_000_000, { lagMessages: { processor: 123_456, sink: 98_765_432 } });
    const silent = {
      ...large,
      services: { ...large.services, sink: { ...large.services.sink, ready: false } },
    };
    const lines = statusView(statusReport(reading(8_999_000), silent), noPaint);
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  });

  it("says why a stage is not ready", () => {
    const later = reading(110);
    const sink = {
      ready: false,
      reasons: { influxdb: "INFLUX_UNAVAILABLE: it does not answer." },
      samples: [],
    };
    const lines = statusView(
      statusReport(reading(100), { ...later, services: { ...later.services, sink } }),
      noPaint,
    );
    assert.ok(lines[0].startsWith("Millrace  not ready"));
    assert.ok(lines.includes("sink: INFLUX_UNAVAILABLE: it does not answer."));
  });
});
