import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { frequencyFeatures, openSpectrumState } from "../../services/kernels/frequency/spectrum.js";
import { newestDrift, pageHinkleyDefaults } from "../../services/kernels/page-hinkley.js";
import { standardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import {
  openStatisticsState,
  statisticalFeatures,
  statisticalNames,
} from "../../services/kernels/statistics/statistical-features.js";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { parseConfig } from "../../services/shared/config.js";
import { featureSchemaText } from "../../services/shared/feature-columns.js";
import { statisticalFeatureNames } from "../../services/shared/statistical-columns.js";

function planOf(features: object) {
  const feature_engineering = { slope_windows: [], momentum: [], ...features };
  return featurePlan(parseConfig(JSON.stringify({ transform: { feature_engineering } }), "test.yaml"));
}

/** The only group that a configuration wants, row by row of a series. */
function openGroup(features: object) {
  const [group, ...others] = planOf(features).groups;
  assert.equal(others.length, 0);
  const rowAt = (timestamps: Float64Array, values: Float64Array, at: number, first = 0) => {
    const out = new Float64Array(group.columns.length + 2).fill(-1);
    group.write(timestamps, values, first, at + 1, out, 1);
    assert.deepEqual([out[0], out.at(-1)], [-1, -1], "wrote beside its columns");
    return [...out.subarray(1, -1)];
  };
  return { group, rowAt };
}

/** An hour that begins with an epoch, later than any small number. */
const START_MS = 1_760_000_400_000;
const EPOCH_MS = 60_000;

describe("drift", () => {
  const random = randomStream(1, "drift", 0);
  /** Of three epochs of 60 samples; in the middle of the second one, the mean rises by 5 standard deviations. */
  const timestamps = Float64Array.from({ length: 180 }, (_, i) => START_MS + 1000 * (i + 1));
  const values = timestamps.map((_, i) => 50 + 3 * normal(random) + (i >= 90 ? 15 : 0));
  const options = { epoch: "60s", fewest_samples: 10, threshold: 20 };
  const { group, rowAt } = openGroup({ page_hinkley: options });
  const rows = [...values.keys()].map((at) => rowAt(timestamps, values, at));

  it("is what the test tells over the epoch, in deviations of the epoch before", () => {
    assert.deepEqual(group.columns, ["drift", "drift_age"]);
    const unit = standardDeviation(values, 0, 60);
    const scaled = { ...pageHinkleyDefaults, fewestSamples: 10, delta: 0.005 * unit, threshold: 20 * unit };
    for (let at = 60; at < 120; at++) {
      const newest = newestDrift(scaled, values, 60, at + 1);
      assert.deepEqual(rows[at], [newest === at ? 1 : 0, newest < 0 ? NaN : at - newest]);
    }
    const told = rows.map(([drift]) => drift).indexOf(1);
    assert.ok(told > 90 && told < 100, `told at ${told}`);
  });

  it("is not told in an epoch without one before it, nor before there are enough samples", () => {
    assert.ok(rows.slice(0, 60).flat().every(Number.isNaN));
    assert.ok(rows.slice(60, 69).every(([drift, age]) => drift === 0 && Number.isNaN(age)));
  });

  it("begins anew with each epoch", () => {
    const third = rows.slice(120);
    assert.ok(third.every(([drift, age]) => drift === 0 && Number.isNaN(age)));
  });

  it("is the same in whatever unit the values are", () => {
    const [milli, kilo] = [values.map((value) => value / 1024), values.map((value) => value * 1024)];
    for (let at = 0; at < values.length; at++) {
      assert.deepEqual(rowAt(timestamps, milli, at), rows[at]);
      assert.deepEqual(rowAt(timestamps, kilo, at), rows[at]);
    }
  });

  it("takes 1 for the deviation of an epoch that was constant", () => {
    const step = values.map((_, i) => (i < 90 ? 7 : 9));
    const told = [...step.keys()].filter((at) => rowAt(timestamps, step, at)[0] === 1);
    assert.deepEqual(
      told,
      [...step.keys()].filter(
        (at) =>
          at >= 60 &&
          at < 120 &&
          newestDrift({ ...pageHinkleyDefaults, fewestSamples: 10, threshold: 20 }, step, 60, at + 1) === at,
      ),
    );
    assert.equal(told.length, 1);
  });

  it("is not told after an epoch of values so far apart that the threshold overflows", () => {
    const farApart = values.map((value, i) => (i >= 60 ? value : i % 2 === 0 ? 1e308 : -1e308));
    assert.ok(rowAt(timestamps, farApart, 119).every(Number.isNaN));
    const apart = farApart.map((value, i) => (i >= 60 ? value : value / 1e8));
    assert.deepEqual(rowAt(timestamps, apart, 119), [0, NaN]);
  });

  it("depends on nothing older than its lookback, and says what it looks at", () => {
    assert.equal(group.lookbackMs, 2 * EPOCH_MS);
    for (let at = 0; at < values.length; at++) {
      const oldest = timestamps[at] - group.lookbackMs;
      const first = timestamps.findIndex((ms) => ms > oldest);
      assert.deepEqual(rowAt(timestamps, values, at, first), rows[at]);
      const { afterMs, toMs } = group.spanAt!(timestamps[at]);
      assert.equal(toMs, timestamps[at]);
      assert.equal(afterMs % EPOCH_MS, 0);
      assert.ok(afterMs >= oldest && afterMs < toMs - EPOCH_MS);
      assert.deepEqual(
        rowAt(
          timestamps,
          values,
          at,
          timestamps.findIndex((ms) => ms > afterMs),
        ),
        rows[at],
      );
    }
  });
});

describe("statistics", () => {
  const random = randomStream(2, "statistics", 0);
  const timestamps = Float64Array.from({ length: 60 }, (_, i) => START_MS + 1000 * i);
  const values = timestamps.map((_, i) => (i % 13 === 0 ? NaN : normal(random)));
  const parameters = { lags: [1, 7], supports: [1, 3], sigmas: [1.5] };

  it("are all of tsfresh's over the window, under its names", () => {
    const wanted = { window: "30s", features: [...statisticalFeatureNames], ...parameters };
    const { group, rowAt } = openGroup({ statistics: wanted });
    assert.deepEqual(
      group.columns,
      statisticalNames(parameters).map((name) => `${name.replace("1.5", "1_5")}_30s`),
    );
    const expected = new Float64Array(group.columns.length);
    statisticalFeatures(parameters, openStatisticsState(), values, 30, 60, expected, 0);
    assert.deepEqual(rowAt(timestamps, values, 59), [...expected]);
  });

  it("are those that are wanted, in the order in which they are computed", () => {
    const features = ["ratio_beyond_r_sigma", "autocorrelation", "cid_ce", "variance"];
    const all = openGroup({
      statistics: { window: 5, features: [...statisticalFeatureNames], ...parameters },
    });
    const { group, rowAt } = openGroup({ statistics: { window: 5, features, ...parameters } });
    const columns = ["variance_5m", "cid_ce_5m", "autocorrelation_1_5m", "autocorrelation_7_5m"];
    assert.deepEqual(group.columns, [...columns, "ratio_beyond_1_5_sigma_5m"]);
    const row = all.rowAt(timestamps, values, 59);
    assert.deepEqual(
      rowAt(timestamps, values, 59),
      group.columns.map((column) => row[all.group.columns.indexOf(column)]),
    );
  });
});

describe("frequencies", () => {
  const wanted = { window: "120s", interval: "5s" };
  const { group, rowAt } = openGroup({ frequency: wanted });
  /** Samples a little early or late, every 5 s, of a wave of 1/30 Hz. */
  const random = randomStream(3, "frequencies", 0);
  const timestamps = Float64Array.from(
    { length: 80 },
    (_, i) => START_MS + 5000 * i + Math.round(2000 * random()),
  );
  const values = timestamps.map((ms) => 10 + Math.sin((2 * Math.PI * (ms - START_MS)) / 30_000));

  it("are those of the newest values at even times", () => {
    for (let at = 26; at < timestamps.length; at++) {
      const last = Math.floor(timestamps[at] / 5000) * 5000;
      const grid = Float64Array.from({ length: 24 }, (_, k) => {
        const ms = last - 5000 * (23 - k);
        return values[timestamps.findLastIndex((time) => time <= ms)];
      });
      const expected = new Float64Array(4);
      frequencyFeatures(openSpectrumState(), grid, 0, 24, 5000, expected, 0);
      assert.deepEqual(rowAt(timestamps, values, at), [...expected]);
      assert.ok(Math.abs(expected[0] - 1 / 30) < 1e-12);
    }
  });

  it("are none while the window is not full, and where it has a gap, even of values that are not finite", () => {
    assert.ok(rowAt(timestamps, values, 20).every(Number.isNaN));
    const holed = values.map((value, i) => (i === 40 || i === 41 ? Infinity : value));
    assert.ok(rowAt(timestamps, holed, 45).every(Number.isNaN));
    assert.ok(rowAt(timestamps, holed, 70).every(Number.isFinite));
  });

  it("are the same for a row between two even times as at the one before", () => {
    const even = timestamps.map((_, i) => START_MS + 2500 * i);
    for (let at = 50; at < even.length; at += 2)
      assert.deepEqual(rowAt(even, values, at + 1), rowAt(even, values, at));
  });

  it("depend on nothing older than their lookback, nor beside what they say they look at", () => {
    for (let at = 30; at < timestamps.length; at++) {
      const row = rowAt(timestamps, values, at);
      const { afterMs, toMs } = group.spanAt!(timestamps[at]);
      assert.ok(afterMs >= timestamps[at] - group.lookbackMs);
      const others = values.map((value, i) =>
        timestamps[i] > afterMs && timestamps[i] <= toMs ? value : 1e9,
      );
      assert.deepEqual(rowAt(timestamps, others, at), row);
    }
  });

  it("depend on no other values than those that they pick", () => {
    const dense = Float64Array.from({ length: 300 }, (_, i) => START_MS + 1000 * i);
    const wave = dense.map((ms) => Math.sin((2 * Math.PI * (ms - START_MS)) / 30_000));
    for (let at = 150; at < dense.length; at += 7) {
      const picked = new Set(group.pick!(dense, wave, 0, at + 1));
      assert.equal(picked.size, 24);
      const others = wave.map((value, i) => (picked.has(i) ? value : 1e9));
      assert.deepEqual(rowAt(dense, others, at), rowAt(dense, wave, at));
    }
  });
});

it("what is off is not there", () => {
  assert.deepEqual(planOf({}).groups, []);
});

it("every column has a meaning of its own in the schema", () => {
  const statistics = { features: [...statisticalFeatureNames], sigmas: [1.5], lags: [7] };
  const { columns } = planOf({
    aggregation_functions: ["mean", "std", "min", "max", "count", "mad", "cv", "percentile"],
    percentiles: [99.9],
    slope_windows: [60],
    momentum: [5],
    change_points: {},
    seasonal: {},
    zscore_window: 5,
    page_hinkley: {},
    statistics,
    frequency: {},
  });
  interface Schema {
    fields: { name: string; type: { items: { fields: { name: string; doc: string }[] } } }[];
  }
  const { fields } = JSON.parse(featureSchemaText(columns)) as Schema;
  const rows = fields.find(({ name }) => name === "rows")!.type.items.fields;
  const docs = columns.map((column) => rows.find(({ name }) => name === column)!.doc);
  assert.equal(new Set(docs).size, columns.length);
  // What Avro calls a name.
  for (const column of columns) assert.match(column, /^[A-Za-z_][A-Za-z0-9_]*$/);
  const docOf = (column: string) => docs[columns.indexOf(column)];
  assert.match(docOf("p99_9_5m"), /^Percentile 99\.9 over the last 5m, /);
  assert.match(
    docOf("ratio_beyond_1_5_sigma_60m"),
    /^Share of the values more than 1\.5 standard dev.* last 60m, /,
  );
  assert.match(docOf("autocorrelation_7_60m"), /^Autocorrelation at a lag of 7 samples over /);
  assert.equal(docs.filter((doc) => doc.startsWith("Percentile")).length, 3);
});
