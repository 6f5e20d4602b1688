import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import type { MetricSample } from "../../services/cli/metrics-text.js";
import { createRawReader } from "../../services/shared/frame-codec.js";
import { runMillrace } from "../cli/run-millrace.js";
import { type Prometheus, openPrometheus } from "../oracle/prometheus.js";
import type { WrittenSeries } from "../oracle/remote-write.js";
import { backfill } from "./backfill/backfilled.js";
import { storedSamples } from "./prometheus-answers.js";
import { type Flow, type RunningService, metricsOf, openFlow, readiness } from "./running-services.js";
import { type Range, type Samples, addSample, assertSameSamples, countSamples } from "./samples.js";
import { readFrames } from "./topic-frames.js";
import { waitFor } from "./wait-for.js";

const MINUTE_MS = 60_000;
const SELECTOR = '{job="shop"}';
/** The stack's, Debian's 2.42 where there is one. */
const program = resolve(".millrace/servers/prometheus/prometheus");

/** What is sold, by a value for each time: numbers of all kinds, a stale marker, and at the end nothing. */
const values = [1, NaN, Infinity, -Infinity, -0, 0, 5e-324, 7];
const STALE_AT = 5;

function shopSeries(range: Range, factor: number): WrittenSeries[] {
  const times: number[] = [];
  for (let ms = range.from + 137; ms <= range.to; ms += 5_000) times.push(ms);
  const timestamps = Float64Array.from(times);
  const target = { job: "shop", instance: "i1" };
  const series = (labels: Record<string, string>, isStale = false): WrittenSeries => ({
    labels: { ...labels, ...target },
    timestamps,
    values: timestamps.map((_, i) => values[i % values.length] * factor),
    ...(isStale ? { stale: Uint8Array.from(times, (_, i) => Number(i % values.length === STALE_AT)) } : {}),
  });
  return [
    series({ __name__: "sold_total" }, true),
    series({ __name__: "debug_total" }),
    series({ __name__: "pods_total", pod: "a" }),
    series({ __name__: "pods_total", pod: "b" }),
    series({ __name__: "wide_total", a: "1", b: "2", c: "3", d: "4", e: "5" }),
  ];
}

describe("two Prometheus servers, rules and limits", () => {
  let us: Prometheus;
  let eu: Prometheus;
  let isEuUp = true;
  let flow: Flow;
  let poller: RunningService;
  /** Half an hour; the live jobs read its last ten minutes. */
  let range: Range;
  /** By source; NaN, infinities and all. */
  let expected: Map<string, Samples>;

  const metric = async (name: string, labels: Record<string, string>) => {
    const isIt = (sample: MetricSample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
    return (await metricsOf(flow, "poller")).find(isIt)?.value;
  };

  /** What metrics.raw holds of a source; fails where a sample is there twice, or is said to be stale. */
  async function rawOf(source: string): Promise<Samples> {
    const samples: Samples = new Map();
    await readFrames(flow.config, "raw", createRawReader, (frame) => {
      if (frame.source !== source) return;
      assert.ok(frame.stale.every((stale) => stale === 0));
      frame.series.forEach(({ key }, i) => addSample(samples, key, frame.timestamp, frame.values[i]));
    });
    return samples;
  }

  /** What a Prometheus has, under the names that the rules give, without what they and the limits leave out. */
  async function storedBy(url: string, rename: (key: string) => string | null): Promise<Samples> {
    const { config } = flow;
    const { extract } = config;
    const of = { ...config, extract: { ...extract, prometheus: { ...extract.prometheus, url } } };
    const samples: Samples = new Map();
    for (const [key, values] of await storedSamples(of, SELECTOR, range)) {
      const name = rename(key);
      if (name !== null) samples.set(name, values);
    }
    return samples;
  }

  before(async () => {
    const to = Math.floor((Date.now() - MINUTE_MS) / 1_000) * 1_000;
    range = { from: to - 30 * MINUTE_MS, to };
    [us, eu] = await Promise.all([
      openPrometheus(program, shopSeries(range, 1)),
      openPrometheus(program, shopSeries(range, 3)),
    ]);
    flow = await openFlow({
      extract: {
        prometheus: { url: us.url },
        sources: { eu: { url: eu.url, max_concurrent_queries: 2, retry_attempts: 0 } },
        templates: { shop: { selectors: ["sold_total", "debug_total", "pods_total", "wide_total"] } },
        jobs: {
          here: { templates: ["shop"], initial_lookback: "10m" },
          there: {
            templates: ["shop"],
            source: "eu",
            initial_lookback: "10m",
            relabel: [
              { source_labels: ["__name__"], regex: "debug_.+", action: "drop" },
              { target_label: "region", replacement: "eu" },
              { source_labels: ["__name__"], regex: "(.+)_total", target_label: "__name__" },
              { regex: "pod", action: "labeldrop" },
            ],
          },
        },
        limits: { labels_max: 8 },
        backfill: { live_lag_max: "30s" },
      },
    });
    poller = flow.start("poller");
    expected = new Map([
      ["prometheus", await storedBy(us.url, (key) => key)],
      [
        "eu",
        await storedBy(eu.url, (key) =>
          key.includes("debug_") || key.includes("wide_") || key.includes('pod="b"')
            ? null
            : key.replace("_total", "").replace(',pod="a"', "").replace("}", ',region="eu"}'),
        ),
      ],
    ]);
  });
  after(async () => {
    await flow.close();
    await us.close();
    if (isEuUp) await eu.close();
  });

  const newest = (samples: Samples) =>
    new Map(
      Array.from(samples, ([key, values]) => [
        key,
        new Map([...values].filter(([at]) => at > range.to - 8 * MINUTE_MS)),
      ]),
    );

  it("are read side by side, each under its name, and its own rules", async () => {
    for (const [source, samples] of expected) {
      const raw = await waitFor(
        `what ${source} has is in metrics.raw`,
        () => rawOf(source),
        (found) => countSamples(newest(found)) >= countSamples(newest(samples)),
      );
      assertSameSamples(newest(raw), newest(samples));
    }
    assert.deepEqual([...expected.get("eu")!.keys()].sort(), [
      'pods{instance="i1",job="shop",region="eu"}',
      'sold{instance="i1",job="shop",region="eu"}',
    ]);
  });

  it("keep NaN and infinities, and send nothing where the series was stale or absent", async () => {
    const raw = newest(await rawOf("prometheus"));
    const sold = [...raw.get('sold_total{instance="i1",job="shop"}')!.values()];
    for (const value of [NaN, Infinity, -Infinity, -0, 5e-324])
      assert.ok(
        sold.some((other) => Object.is(other, value)),
        `${value}`,
      );
    const debug = [...raw.get('debug_total{instance="i1",job="shop"}')!.keys()];
    const markers = debug.length - sold.length;
    assert.ok(markers > 5 && !sold.some((value) => Object.is(value, 0)), `${markers} stale markers`);
  });

  it("say what is left out: once in the log, as metrics, and by readiness", async () => {
    const reasons = await readiness(flow, "poller");
    assert.deepEqual(Object.keys(reasons ?? {}), ["limits (there)"]);
    const told = poller.log.filter(({ event }) => event === "limits.failed");
    assert.deepEqual(told.map(({ job, code }) => `${String(job)} ${code}`).sort(), [
      "there LIMIT_LABELS",
      "there RELABEL_SAME_SERIES",
    ]);
    for (const [job, code, count] of [
      ["there", "LIMIT_LABELS", 1],
      ["there", "RELABEL_SAME_SERIES", 1],
      ["there", "LIMIT_SERIES", 0],
      ["here", "LIMIT_LABELS", 0],
    ] as const)
      assert.equal(await metric("millrace_poller_series_left_out", { job, code }), count, `${job} ${code}`);
  });

  it("are backfilled by their jobs, under the same rules, and once", async () => {
    for (const isAgain of [false, true]) {
      const from = new Date(range.from).toISOString();
      const { exitCode, stderr, last } = await backfill(
        flow.file,
        ...["--from", from, "--job", "there", "--wait", "--json"],
      );
      assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
      assert.equal(last!.sent > 0, !isAgain);
      assertSameSamples(await rawOf("eu"), expected.get("eu")!);
    }
  });

  it("are both compared with Kafka by `millrace verify`, under the names that the rules give", async () => {
    const from = new Date(range.to - 8 * MINUTE_MS).toISOString();
    const to = new Date(range.to).toISOString();
    const verify = async (match: string) => {
      const args = ["verify", "--from", from, "--to", to, "--match", match, "--json"];
      const { stdout } = await runMillrace(["--config", flow.file, ...args], { timeoutMs: MINUTE_MS });
      const { sources } = JSON.parse(stdout) as {
        sources: { source: string; series: number; differences: unknown[] }[];
      };
      return sources.map(({ source, series, differences }) => [source, series, differences.length]);
    };
    assert.deepEqual(await verify('{__name__="sold_total"}'), [
      ["prometheus", 1, 0],
      ["eu", 1, 0],
    ]);
    assert.deepEqual(
      await verify('{__name__="wide_total"}'),
      [
        ["prometheus", 1, 0],
        ["eu", 1, 1],
      ],
      "what a limit leaves out is missing",
    );
  });

  it("are both tried by `millrace check`", async () => {
    const { stdout } = await runMillrace(["--config", flow.file, "check"], { timeoutMs: MINUTE_MS });
    assert.match(stdout, new RegExp(`prometheus +ok +version .+ at ${us.url}`));
    assert.match(stdout, new RegExp(`prometheus eu +ok +version .+ at ${eu.url}`));
  });

  it("are independent: one that goes down is told of, and the other is read on", async () => {
    const up = (source: string) => metric("millrace_poller_source_up", { source });
    assert.deepEqual([await up("prometheus"), await up("eu")], [1, 1]);
    await eu.close();
    isEuUp = false;
    await waitFor(
      "eu is down",
      () => up("eu"),
      (value) => value === 0,
    );
    const reasons = await waitFor(
      "readiness says so",
      () => readiness(flow, "poller"),
      (found) => found !== null && "prometheus eu (there)" in found,
    );
    assert.match(reasons!["prometheus eu (there)"], /^PROM_UNAVAILABLE: /);
    const at = Date.now();
    await us.write([
      {
        labels: { __name__: "sold_total", job: "shop", instance: "i1" },
        timestamps: Float64Array.of(at),
        values: Float64Array.of(8),
      },
    ]);
    await waitFor(
      "the sample of the other is in metrics.raw",
      async () => (await rawOf("prometheus")).get('sold_total{instance="i1",job="shop"}')?.get(at),
      (value) => value === 8,
    );
    assert.equal(await up("prometheus"), 1);
  });
});
