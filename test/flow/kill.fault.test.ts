import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { totalOf } from "../../services/cli/metrics-text.js";
import type { StageName } from "../../services/cli/status-report.js";
import { rate } from "../../services/kernels/rate.js";
import type { MetricType } from "../../services/shared/frame.js";
import { createFeatureReader, createRawReader } from "../../services/shared/frame-codec.js";
import { createKafka, withAdmin } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { randomStream, uniform } from "../../services/kernels/random.js";
import { writtenSamples } from "./influxdb-rows.js";
import { storedSamples } from "./prometheus-answers.js";
import {
  type Flow,
  type RunningService,
  alarms,
  beginning,
  metricsOf,
  openFlow,
  runnersServers,
  untilReady,
  untilWritten,
} from "./running-services.js";
import {
  type Range,
  type Samples,
  addSample,
  assertSameSamples,
  countSamples,
  onlyFinite,
} from "./samples.js";
import { momentsAlone } from "../kernels/moments-alone.js";
import { type SlowProxy, startSlowProxy } from "./slow-proxy.js";
import { endOf, readFrames } from "./topic-frames.js";
import { waitFor } from "./wait-for.js";

const SEED = 20261125;
const RATE_WINDOW_MS = 10_000;
const WINDOW_MS = 15_000;

/** What a stage counts as it works, and how often it is killed. A killed consumer costs its group a session's time. */
const stages: Record<StageName, { progress: string; kills: number }> = {
  poller: { progress: "millrace_poller_samples_total", kills: 10 },
  processor: { progress: "millrace_processor_samples_total", kills: 2 },
  sink: { progress: "millrace_sink_rows_total", kills: 2 },
};
const names = Object.keys(stages) as StageName[];

describe("kill -9 of poller, processor and sink under load", () => {
  let influxdb: SlowProxy;
  let flow: Flow;
  let range: Range;
  let stored: Samples;
  /** The last of each. */
  const services = new Map<StageName, RunningService>();

  before(async () => {
    // So slow that the sink mostly has a write under way when it is killed.
    influxdb = await startSlowProxy(runnersServers().load.influxdb.url, 100);
    flow = await openFlow({
      extract: {
        templates: { all: { entity: "part", selectors: ['{job="node"}', '{job="prometheus"}'] } },
        jobs: { live: { templates: ["all"], overlap: "5s", initial_lookback: "20s" } },
      },
      load: { influxdb: { url: influxdb.url } },
      // Some tens of entities, so that every partition has some.
      entities: { part: ["job", "instance", "cpu", "device", "handler"] },
      transform: {
        feature_engineering: {
          rolling_windows: [`${WINDOW_MS}ms`],
          aggregation_functions: ["mean"],
          rate_window: `${RATE_WINDOW_MS}ms`,
        },
        lateness: "20s",
      },
    });
    for (const name of names) services.set(name, flow.start(name));
    const from = await beginning(services.get("poller")!);
    await Promise.all(names.map(killAgainAndAgain));
    range = { from, to: Date.now() };
    await untilReady(flow, names);
    await untilWritten(flow, range.to);
    stored = await storedSamples(flow.config, '{job=~"node|prometheus"}', range);
  });
  after(async () => {
    await flow.close();
    await influxdb.close();
  });

  async function killAgainAndAgain(name: StageName): Promise<void> {
    const random = randomStream(SEED, name, 0);
    for (let kill = 0; kill < stages[name].kills; kill++) {
      // Now and then the poller is met while it finds out where it was; a consumer has nothing to lose before it works.
      const isAtWork = name !== "poller" || kill % 4 < 3;
      if (isAtWork) await untilAtWork(name);
      await sleep(uniform(random, 0, 1_000));
      if (isAtWork) await untilItWrites(name);
      await services.get(name)!.kill();
      services.set(name, flow.start(name));
    }
    await untilAtWork(name);
  }

  /** Waits for the moment when most can go wrong: something is written, and may not be committed yet. */
  async function untilItWrites(name: StageName): Promise<void> {
    if (name === "sink") {
      await soon("the sink writes", influxdb.requestsUnderWay, (requests) => requests > 0);
      return;
    }
    const topics = name === "poller" ? (["raw", "state"] as const) : (["features"] as const);
    await withAdmin(
      createKafka(flow.config, "test", createLogger("test", "silent")),
      async (admin) => {
        const look = () => endOf(admin, flow.config, topics);
        const end = await look();
        await soon(`the ${name} writes`, look, (seen) => seen > end);
      },
      // What is written and not committed yet counts: that is when to kill.
      { readUncommitted: true },
    );
  }

  const untilAtWork = (name: StageName) =>
    waitFor(
      `the ${name} works`,
      async () => totalOf(await metricsOf(flow, name), stages[name].progress) ?? 0,
      (total) => total > 0,
    );

  it("leaves every sample of Prometheus in metrics.raw, once", async () => {
    const sent: Samples = new Map();
    await readFrames(flow.config, "raw", createRawReader, ({ series, values, timestamp }) => {
      if (timestamp > range.to) return;
      series.forEach(({ key }, i) => addSample(sent, key, timestamp, values[i]));
    });
    assert.ok(countSamples(stored) > 20_000, `only ${countSamples(stored)} samples`);
    assertSameSamples(sent, stored);
  });

  it("leaves every sample of Prometheus in InfluxDB, and no other", async () => {
    assertSameSamples(await writtenSamples(flow.config, range), onlyFinite(stored));
  });

  it("leaves the features in InfluxDB that an unbroken run would have computed, bit for bit", async () => {
    const emitted = new Set<string>();
    const types = new Map<string, Map<number, MetricType>>();
    await readFrames(flow.config, "features", createFeatureReader, ({ series, timestamp, revision }) => {
      for (const { key, type } of series) {
        const row = `${key} ${timestamp} ${revision}`;
        assert.ok(!emitted.has(row), `${row} was emitted twice`);
        emitted.add(row);
        const ofSeries = types.get(key) ?? new Map<number, MetricType>();
        types.set(key, ofSeries.set(timestamp, type));
      }
    });

    const means: Samples = new Map();
    const rates: Samples = new Map();
    for (const [key, ofSeries] of stored) {
      const timestamps = Float64Array.from(ofSeries.keys());
      const values = Float64Array.from(ofSeries.values());
      const noneAbsent = new Uint8Array(values.length);
      const firstWithin = (ms: number, at: number) =>
        timestamps.findIndex((time) => time > timestamps[at] - ms);
      const rateOf = values.map((_, at) =>
        rate(
          timestamps,
          values,
          noneAbsent,
          firstWithin(RATE_WINDOW_MS, at),
          at + 1,
          timestamps[at],
          RATE_WINDOW_MS,
        ),
      );
      timestamps.forEach((timestamp, at) => {
        const isCounter = types.get(key)!.get(timestamp) === "counter";
        const judged = isCounter ? rateOf : values;
        const [times, seen] = [timestamps, judged].map((column) =>
          column.slice(firstWithin(WINDOW_MS, at), at + 1),
        );
        addSample(means, key, timestamp, momentsAlone(times, seen, WINDOW_MS).mean);
        addSample(rates, key, timestamp, isCounter ? rateOf[at] : NaN);
      });
    }
    assertSameSamples(await writtenSamples(flow.config, range, `mean_${WINDOW_MS}ms`), onlyFinite(means));
    assertSameSamples(await writtenSamples(flow.config, range, "rate"), onlyFinite(rates));
  });

  it("is nothing that the services complain about afterwards", async () => {
    for (const service of services.values()) {
      const { exitCode, tookMs } = await service.stop();
      assert.equal(exitCode, 0);
      assert.ok(tookMs < 10_000, `${tookMs} ms`);
      assert.deepEqual(alarms(service.log), []);
    }
  });
});

/** As waitFor, but with hardly any delay. */
async function soon(
  what: string,
  look: () => number | Promise<number>,
  willDo: (seen: number) => boolean,
): Promise<void> {
  await waitFor(what, look, willDo, 60_000, 1);
}
