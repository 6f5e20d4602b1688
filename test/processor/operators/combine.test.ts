import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Made, planOf, told } from "./made-series.js";

const plan = planOf({
  feature_engineering: {
    rolling_windows: ["10s"],
    aggregation_functions: ["mean"],
    rate_window: "10s",
    slope_windows: [],
    momentum: [],
    combined_rates: {
      request_rate: { sum: '{__name__=~"metric_[12]"}' },
      error_rate: { sum: '{__name__=~"metric_[12]"}', share: "metric_2" },
    },
  },
});

/** Two counters: 30 and 10 a second, in frames of their own. */
const samples: Made[] = Array.from({ length: 40 }, (_, i) => ({
  second: i / 2,
  series: 1 + (i % 2),
  value: Math.floor(i / 2) * (i % 2 === 0 ? 30 : 10),
  type: "counter",
}));

describe("combine", () => {
  it("adds the rates of an entity's counters, and says what share of them some are", async () => {
    const { row } = await told(samples, plan);
    assert.ok(Math.abs(row(19.5, "request_rate")!.value - 40) < 1e-9);
    assert.ok(Math.abs(row(19.5, "error_rate")!.value - 25) < 1e-9);
    assert.equal(row(19.5, "request_rate")!.type, "gauge");
  });

  it("gives the combined series windows of their own", async () => {
    const { row } = await told(samples, plan);
    const mean = row(19.5, "request_rate")!.features[0];
    const values = Array.from({ length: 20 }, (_, i) => row(10 + i / 2, "request_rate")!.value);
    assert.ok(Math.abs(mean - values.reduce((sum, value) => sum + value) / values.length) < 1e-9);
  });

  it("says that there is no share of nothing", async () => {
    const idle = samples.map((sample) => ({ ...sample, value: 0 }));
    const { row } = await told(idle, plan);
    assert.equal(row(19, "request_rate")!.value, 0);
    assert.ok(Number.isNaN(row(19, "error_rate")!.value));
  });

  it("is corrected where a counter's sample comes late", async () => {
    const inOrder = await told(samples, plan);
    const [late] = samples.slice(25, 26);
    const others = samples.filter((sample) => sample !== late);
    const { row } = await told([...others, late], plan);
    for (let i = 20; i < 40; i++) {
      for (const metric of ["request_rate", "error_rate"])
        assert.deepEqual(
          row(i / 2, metric)!.value,
          inOrder.row(i / 2, metric)!.value,
          `${metric} at ${i / 2}`,
        );
    }
  });
});
