import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { parseConfig } from "../../services/shared/config.js";
import { twoColumns } from "./made-input.js";

const planOf = (yaml: string) => featurePlan(parseConfig(yaml, "test.yaml"));

describe("featurePlan", () => {
  it("looks back, by default, as far as its chained steps do together", () => {
    const plan = planOf("");
    const minute = 60_000;
    assert.deepEqual(plan.rolling.windowsMs, [5 * minute, 15 * minute, 60 * minute]);
    assert.equal(plan.rateWindowMs, minute);
    // A rate, what tells the interval before a gap, the gap, and the momentum over what was filled in: an hour and its tolerance.
    assert.equal(plan.lookbackMs, (1 + 10 + 60 + 61) * minute + 1);
    assert.equal(plan.latenessMs, 10 * minute);
    assert.equal(plan.reachBackMs, 60 * minute);
    assert.deepEqual(plan.columns.slice(0, 7), [
      "mean_5m",
      "std_5m",
      "p25_5m",
      "p50_5m",
      "p75_5m",
      "p95_5m",
      "p99_5m",
    ]);
    assert.deepEqual(plan.columns.slice(21), [
      "slope_60m",
      "momentum_5m",
      "momentum_pct_5m",
      "momentum_15m",
      "momentum_pct_15m",
      "momentum_60m",
      "momentum_pct_60m",
      "rate",
    ]);
  });

  it("looks back by what filling looks at before a gap", () => {
    const minute = 60_000;
    const contextOf = (imputation: string) =>
      planOf(`transform: { imputation: { interval: 15s, ${imputation} } }`).lookbackMs -
      (1 + 60 + 61) * minute -
      1;
    assert.equal(contextOf("method: forward_fill"), 0);
    assert.equal(contextOf("method: mean"), 60 * minute);
    assert.equal(contextOf("method: median, window: 90s"), 90_000);
    assert.equal(contextOf("method: seasonal, window: 3h"), 180 * minute);
    // Another series may be as it was 1.5 intervals before.
    assert.equal(contextOf("method: regression, window: 90s"), 90_000 + 22_500);
    assert.equal(contextOf("method: mean, window: 90s, group_by: []"), 90_000 + 22_500);
    assert.equal(contextOf("method: mean, window: 90s, group_time: hour"), 90_000);
    const model = `method: onnx, model_path: ${twoColumns}, model_columns: [a, b]`;
    assert.equal(contextOf(`${model}, window: 90s`), 90_000 + 22_500);
  });

  it("looks back by the largest window and the rate where nothing is judged or filled", () => {
    const off = "cleaning: { outlier_detection: none }, imputation: { method: none }";
    const features = "feature_engineering: { slope_windows: [], momentum: [] }";
    assert.equal(planOf(`transform: { ${off}, ${features} }`).lookbackMs, 3_660_000);
    const judged = "cleaning: { outlier_detection: isolation_forest, outlier_action: remove }";
    // Three quarters of an hour and a whole one: the forest of the last epoch, and what it was fitted to.
    const plan = planOf(`transform: { ${judged}, imputation: { method: none }, ${features} }`);
    assert.equal(plan.lookbackMs, 3_660_000 + 4_500_000);
  });

  it("has the columns that are wanted, in the order in which they are computed", () => {
    const plan = planOf(`
transform:
  feature_engineering:
    rolling_windows: [1h, 90s]
    aggregation_functions: [cv, percentile, count, mean]
    percentiles: [99.9]
    slope_windows: []
    momentum: [2h]
    seasonal: {}
    change_points: {}
    zscore_window: 5
    page_hinkley: {}
    statistics: { window: 90s, features: [number_peaks, variance], supports: [2, 1] }
    frequency: { window: 2, features: [spectral_entropy, dominant_frequency] }
  scaling: { fits_file: test/shared/fixtures/fitted/fits.json }
`);
    assert.deepEqual(plan.columns, [
      ...["mean_1h", "p99_9_1h", "count_1h", "cv_1h", "mean_90s", "p99_9_90s", "count_90s", "cv_90s"],
      ...["momentum_2h", "momentum_pct_2h", "change_point", "drift", "drift_age"],
      ...["trend", "seasonal", "residual", "seasonal_strength", "seasonal_anomaly", "zscore"],
      ...["variance_90s", "number_peaks_2_90s", "number_peaks_1_90s"],
      ...["spectral_entropy_2m", "dominant_frequency_2m", "scaled", "rate"],
    ]);
    assert.equal(plan.rollingWidth, 8);
    assert.equal(plan.groups.flatMap(({ columns }) => columns).length, 16);
    assert.deepEqual(plan.rolling.fractions, [0.999]);
    assert.equal(plan.rolling.standardDeviation, false);
  });

  it("looks back as far as drifts, statistics and frequencies do", () => {
    const lookbackOf = (features: string) =>
      planOf(`transform: { feature_engineering: { slope_windows: [], momentum: [], ${features} } }`)
        .largestWindowMs / 60_000;
    assert.equal(lookbackOf("rolling_windows: [5]"), 5);
    assert.equal(lookbackOf("rolling_windows: [5], page_hinkley: { epoch: 30 }"), 60);
    assert.equal(lookbackOf("rolling_windows: [5], statistics: { window: 2h }"), 120);
    // As many intervals as there are in the window, and the age that the first value may have.
    assert.equal(lookbackOf("rolling_windows: [5], frequency: { window: 29, interval: 2m }"), 28 + 3);
  });

  it("needs no percentile", () => {
    const plan = planOf(
      "transform: { feature_engineering: { aggregation_functions: [std], slope_windows: [], momentum: [] } }",
    );
    assert.deepEqual(plan.columns, ["std_5m", "std_15m", "std_60m", "rate"]);
    assert.deepEqual(plan.rolling.fractions, []);
  });
});
