import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import {
  type LatencyHistogram,
  histogramOf,
  histogramQuantile,
  histogramSince,
  latencyOf,
} from "../../services/cli/latency-histogram.js";
import { parseMetricsText } from "../../services/cli/metrics-text.js";

describe("histogramQuantile", () => {
  // Expected values: Prometheus 2.42, promql/quantile_test.go's cases for classic histograms and hand arithmetic.
  const histogram: LatencyHistogram = { bounds: [0.1, 0.5, 1, Infinity], cumulative: [10, 30, 90, 100] };

  it("is linear within the bucket that the rank falls into", () => {
    assert.equal(histogramQuantile(0.5, histogram), 0.5 + 0.5 * (20 / 60));
    assert.equal(histogramQuantile(0.2, histogram), 0.1 + 0.4 * (10 / 20));
  });

  it("takes 0 as the lower bound of the first bucket", () => {
    assert.equal(histogramQuantile(0.05, histogram), 0.05);
  });

  it("is the highest finite bound where the rank falls beyond it", () => {
    assert.equal(histogramQuantile(0.99, histogram), 1);
  });

  it("is NaN where nothing was observed, or there is no finite bucket", () => {
    assert.equal(histogramQuantile(0.5, { bounds: [1, Infinity], cumulative: [0, 0] }), NaN);
    assert.equal(histogramQuantile(0.5, { bounds: [Infinity], cumulative: [4] }), NaN);
  });

  it("skips empty buckets before the rank", () => {
    assert.equal(histogramQuantile(0.25, { bounds: [1, 2, Infinity], cumulative: [0, 4, 4] }), 1.25);
  });

  it("lies in the bucket of the true quantile, for any observations", () => {
    const bounds = [0.01, 0.05, 0.1, 0.5, 1, 5];
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 4.9, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.95, 0.99),
        (observations, quantile) => {
          const cumulative = [...bounds, Infinity].map(
            (bound) => observations.filter((value) => value <= bound).length,
          );
          const estimate = histogramQuantile(quantile, { bounds: [...bounds, Infinity], cumulative });
          const sorted = [...observations].sort((a, b) => a - b);
          const exact = sorted[Math.ceil(quantile * sorted.length) - 1];
          const bucket = bounds.findIndex((bound) => exact <= bound);
          assert.ok(estimate <= bounds[bucket] + 1e-12);
          assert.ok(estimate >= (bucket === 0 ? 0 : bounds[bucket - 1]) - 1e-12);
        },
      ),
    );
  });
});

describe("a page of prom-client", () => {
  it("is read back: labels are selected, buckets summed", async () => {
    const registry = new Registry();
    const histogram = new Histogram({
      name: "write_seconds",
      help: "x",
      labelNames: ["origin", "code"],
      buckets: [0.1, 1],
      registers: [registry],
    });
    histogram.observe({ origin: "live", code: 'a "quoted\\ \n text' }, 0.05);
    histogram.observe({ origin: "live", code: "b" }, 0.5);
    histogram.observe({ origin: "backfill", code: "b" }, 500);
    const samples = parseMetricsText(await registry.metrics());
    assert.ok(samples.some(({ labels }) => labels["code"] === 'a "quoted\\ \n text'));
    assert.deepEqual(histogramOf(samples, "write_seconds", { origin: "live" }), {
      bounds: [0.1, 1, Infinity],
      cumulative: [1, 2, 2],
    });
    assert.deepEqual(histogramOf(samples, "write_seconds")?.cumulative, [1, 2, 3]);
    assert.equal(histogramOf(samples, "write_seconds", { origin: "remote_write" }), null);
  });
});

describe("histogramSince", () => {
  const earlier: LatencyHistogram = { bounds: [1, Infinity], cumulative: [2, 3] };
  const later: LatencyHistogram = { bounds: [1, Infinity], cumulative: [2, 7] };

  it("is what was observed in between", () => {
    assert.deepEqual(histogramSince(earlier, later)?.cumulative, [0, 4]);
  });

  it("counts from the start after a restart, or where nothing was known", () => {
    assert.equal(histogramSince(later, earlier), earlier);
    assert.equal(histogramSince(null, later), later);
  });
});

describe("latencyOf", () => {
  it("is null, not zero, where nothing was observed", () => {
    const nothing = { count: 0, p50: null, p95: null, p99: null };
    assert.deepEqual(latencyOf(null), nothing);
    assert.deepEqual(latencyOf({ bounds: [1, Infinity], cumulative: [0, 0] }), nothing);
  });
});
