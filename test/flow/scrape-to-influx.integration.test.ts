import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { StatusReport } from "../../services/cli/status-report.js";
import { runMillrace } from "../cli/run-millrace.js";
import { type Row, writtenRows, writtenSamples } from "./influxdb-rows.js";
import { metricFamilies, ratesAt, storedSamples } from "./prometheus-answers.js";
import { plainStatistics } from "./plain-statistics.js";
import {
  type Flow,
  type RunningService,
  alarms,
  beginning,
  openFlow,
  runnersServers,
  untilReady,
  untilWritten,
} from "./running-services.js";
import { type Range, type Samples, assertSameSamples, countSamples, onlyFinite } from "./samples.js";
import { waitFor } from "./wait-for.js";

const windows = { "5s": 5_000, "10s": 10_000, "5m": 300_000 };
const percentiles = [25, 50, 75, 95, 99];
const RATE_WINDOW_MS = 8_000;
/** What the poller finds when it starts, and how long it is then watched: about a scrape a second. */
const LOOKBACK_MS = 20_000;
const WATCHED_MS = 8_000;

const selectors = ['{job="node"}', '{job="prometheus"}'];

describe("from a scrape to InfluxDB", () => {
  let flow: Flow;
  let services: RunningService[];
  let range: Range;
  /** What Prometheus has stored in the range, and what InfluxDB holds of it. */
  let stored: Samples;
  let written: Samples;

  before(async () => {
    await untilScraped(LOOKBACK_MS);
    flow = await openFlow({
      extract: {
        templates: { node: { selectors: [selectors[0]] }, prometheus: { selectors: [selectors[1]] } },
        jobs: {
          live: {
            templates: ["node", "prometheus"],
            overlap: "5s",
            initial_lookback: `${LOOKBACK_MS}ms`,
          },
        },
      },
      transform: {
        feature_engineering: {
          rolling_windows: Object.keys(windows),
          percentiles,
          rate_window: `${RATE_WINDOW_MS}ms`,
        },
      },
    });
    services = [flow.start("poller"), flow.start("processor"), flow.start("sink")];
    await untilReady(flow, ["poller", "processor", "sink"]);
    range = { from: await beginning(services[0]), to: Date.now() + WATCHED_MS };
    await untilWritten(flow, range.to);
    const answers = await Promise.all(
      selectors.map((selector) => storedSamples(flow.config, selector, range)),
    );
    stored = new Map(answers.flatMap((samples) => [...samples]));
    written = await writtenSamples(flow.config, range);
  });
  after(() => flow.close());

  it("writes every sample that Prometheus has stored, and no other", () => {
    assert.ok(
      stored.size > 500 && countSamples(stored) > 5_000,
      `only ${countSamples(stored)} of ${stored.size} series`,
    );
    assertSameSamples(written, onlyFinite(stored));
  });

  it("gives each row of a gauge the statistics of its windows", async () => {
    const rows = await rowsOfType("gauge", /^node_(memory|load|filesystem|network)/);
    let compared = 0;
    for (const { series, timestamp, fields } of rows) {
      const samples = [...stored.get(series)!].filter(([at]) => at <= timestamp);
      assert.equal(fields["value"], stored.get(series)!.get(timestamp));
      for (const [name, ms] of Object.entries(windows)) {
        const values = samples.filter(([at]) => at > timestamp - ms).map(([, value]) => value);
        const expected = plainStatistics(values, percentiles);
        const where = `of ${series} over ${name} at ${timestamp}, ${values.length} values`;
        assertNear(fields[`mean_${name}`], expected.mean, `mean ${where}`);
        assertNear(fields[`std_${name}`] ?? null, expected.std, `std ${where}`);
        percentiles.forEach((percentile, i) => {
          assert.equal(fields[`p${percentile}_${name}`], expected.percentiles[i], `p${percentile} ${where}`);
        });
        compared++;
      }
    }
    assert.ok(compared > 3_000, `${compared} windows compared`);
  });

  it("gives each row of a counter Prometheus's own rate", async () => {
    const rows = await rowsOfType("counter", /^node_cpu_seconds_total$/);
    const all = [...new Set(rows.map(({ timestamp }) => timestamp))].sort((a, b) => a - b);
    // Those whose windows lie wholly in what was read.
    const times = all.filter((timestamp) => timestamp - RATE_WINDOW_MS >= all[0]);
    assert.ok(times.length > 10, `${times.length} times`);
    for (const timestamp of times) {
      const rates = await ratesAt(flow.config, "node_cpu_seconds_total", timestamp, RATE_WINDOW_MS);
      const ofTime = rows.filter((row) => row.timestamp === timestamp);
      assert.equal(ofTime.length, rates.size);
      for (const { series, fields } of ofTime) {
        assertNear(fields["rate"], rates.get(series)!, `rate of ${series} at ${timestamp}`);
      }
    }
  });

  it("tells by `millrace status --json` that all is well, how much flows, and how fast", async () => {
    const { exitCode, stdout, stderr } = await millrace("status", "--json", "--over", "2");
    assert.equal(exitCode, 0, stdout + stderr);
    const report = JSON.parse(stdout) as StatusReport;
    assert.equal(report.ready, true);
    assert.ok(report.samplesPerSecond! > 500, stdout);
    assert.ok(report.rowsWritten! >= countSamples(written), stdout);
    const { recent } = report.scrapeToInfluxSeconds;
    assert.ok(recent.count > 0 && recent.p50! > 0 && recent.p99! >= recent.p50!, stdout);
    assert.deepEqual(
      Object.values(report.stages).map(({ ready, failures }) => ({ ready, failures })),
      Array.from({ length: 3 }, () => ({ ready: true, failures: {} })),
    );
  });

  it("prints frames of features by `millrace tail`", async () => {
    const { exitCode, stdout, stderr } = await millrace("tail", "metrics.features", "--limit", "3");
    assert.equal(exitCode, 0, stderr);
    const frames = stdout
      .trim()
      .split("\n")
      .map(
        (line) => JSON.parse(line) as { entity: object; timestamp: number; rows: Record<string, unknown>[] },
      );
    assert.equal(frames.length, 3);
    for (const { entity, timestamp, rows } of frames) {
      assert.deepEqual(Object.keys(entity).sort(), ["instance", "job"]);
      assert.ok(timestamp > range.to);
      assert.ok(rows.length > 0);
      for (const row of rows) {
        assert.equal(typeof row["metric"], "string");
        assert.ok("mean_10s" in row && "p99_5m" in row && "rate" in row);
      }
    }
  });

  it("finds nothing wrong by `millrace check` and `millrace topics`", async () => {
    const check = await millrace("check", "--json");
    assert.equal(check.exitCode, 0, check.stdout + check.stderr);
    const { ok, checks } = JSON.parse(check.stdout) as {
      ok: boolean;
      checks: { name: string; ok: boolean }[];
    };
    assert.equal(ok, true);
    assert.deepEqual(
      checks.map(({ name }) => name),
      ["configuration", "secrets", "prometheus", "kafka", "topics", "registry", "influxdb"],
    );
    const topics = await millrace("topics", "--json");
    assert.equal(topics.exitCode, 0, topics.stderr);
    const { topics: states } = JSON.parse(topics.stdout) as { topics: { name: string; exists: boolean }[] };
    const prefix = flow.config.kafka.topic_prefix;
    assert.ok(states.some(({ name, exists }) => name === `${prefix}metrics.features` && exists));
  });

  it("stops on SIGTERM within 10 s, having had nothing to complain about", async () => {
    const ends = await Promise.all(services.map((service) => service.stop()));
    for (const { exitCode, tookMs } of ends) {
      assert.equal(exitCode, 0);
      assert.ok(tookMs < 10_000, `${tookMs} ms`);
    }
    assert.deepEqual(
      services.map(({ log }) => alarms(log)),
      [[], [], []],
    );
  });

  const millrace = (...args: string[]) => runMillrace([...args, "--config", flow.file]);

  /** All rows in the range whose metric matches and is of a type, by Prometheus's own metadata. */
  async function rowsOfType(type: string, pattern: RegExp): Promise<Row[]> {
    const families = await metricFamilies(flow.config);
    const metrics = [...families].filter(([name, known]) => known === type && pattern.test(name));
    const names = metrics.map(([name]) => name);
    const rows = await writtenRows(flow.config, range, names);
    assert.ok(rows.length > 100, `${rows.length} rows`);
    return rows;
  }
});

/** To 1e-9 relative; null is a field that is not there. */
function assertNear(actual: number | null, expected: number | null, what: string): void {
  const isNear =
    actual === null || expected === null
      ? actual === expected
      : Math.abs(actual - expected) <= 1e-9 * Math.abs(expected);
  assert.ok(isNear, `${what}: ${actual}, expected ${expected}`);
}

/** Prometheus may have started just now. */
async function untilScraped(lookbackMs: number): Promise<void> {
  const scrapes = async () => {
    const now = Date.now();
    const range = { from: now - lookbackMs, to: now };
    return countSamples(await storedSamples(runnersServers(), 'up{job="node"}', range));
  };
  await waitFor(
    "Prometheus has scraped for long enough",
    scrapes,
    (count) => count >= (0.9 * lookbackMs) / 1000,
  );
}
