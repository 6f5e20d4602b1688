import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { parseConfig } from "../../services/shared/config.js";

const planOf = (yaml: string) => featurePlan(parseConfig(yaml, "test.yaml"));

describe("featurePlan", () => {
  it("looks back, by default, by an hour and the minute that rates take, and corrects ten minutes more", () => {
    const plan = planOf("");
    assert.deepEqual(plan.rolling.windowsMs, [300_000, 900_000, 3_600_000]);
    assert.equal(plan.rateWindowMs, 60_000);
    assert.equal(plan.lookbackMs, 3_660_000);
    assert.equal(plan.latenessMs, 600_000);
    assert.deepEqual(plan.columns.slice(0, 7), [
      "mean_5m",
      "std_5m",
      "p25_5m",
      "p50_5m",
      "p75_5m",
      "p95_5m",
      "p99_5m",
    ]);
    assert.equal(plan.columns.length, 22);
    assert.equal(plan.columns.at(-1), "rate");
  });

  it("has the columns that are wanted, in the order in which they are computed", () => {
    const plan = planOf(`
transform:
  feature_engineering: { rolling_windows: [1h, 90s], aggregation_functions: [percentile, mean], percentiles: [99.9] }
`);
    assert.deepEqual(plan.columns, ["mean_1h", "p99_9_1h", "mean_90s", "p99_9_90s", "rate"]);
    assert.deepEqual(plan.rolling.fractions, [0.999]);
    assert.equal(plan.rolling.standardDeviation, false);
    assert.equal(plan.lookbackMs, 3_660_000);
  });

  it("needs no percentile", () => {
    const plan = planOf("transform: { feature_engineering: { aggregation_functions: [std] } }");
    assert.deepEqual(plan.columns, ["std_5m", "std_15m", "std_60m", "rate"]);
    assert.deepEqual(plan.rolling.fractions, []);
  });
});
