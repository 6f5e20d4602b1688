import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupFill } from "../../../services/kernels/impute/group-fill.js";
import { kMeansFill } from "../../../services/kernels/impute/k-means-fill.js";
import { median, meanFill } from "../../../services/kernels/impute/mean-median.js";
import { regressionFill } from "../../../services/kernels/impute/regression.js";
import { softImputeFill } from "../../../services/kernels/impute/soft-impute.js";
import { bitText } from "../exact-arithmetic.js";
import { tableCase } from "./table-cases.js";

const options = { maxGapMs: 1e15, windowMs: 1e15 };

/** One row a second. */
function secondsOf(rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => row * 1_000);
}

describe("mean, median and group fill", () => {
  it("take each column by itself, and leave one without a value open", () => {
    const out = new Float64Array(6);
    const filled = new Uint8Array(6);
    meanFill(options, secondsOf(3), Float64Array.of(1, NaN, NaN, NaN, 3, NaN), 2, out, filled);
    assert.deepEqual([...out], [1, NaN, 2, NaN, 3, NaN]);
    assert.equal(filled.join(""), "001000");
  });

  it("take the whole table for a group without values", () => {
    const values = Float64Array.of(1, NaN, 5, NaN, NaN, 6);
    const out = new Float64Array(6);
    const filled = new Uint8Array(6);
    const groups = Int32Array.of(0, 0, 1, 1, 2, 0);
    groupFill({ ...options, statistic: "mean" }, secondsOf(6), values, 1, groups, out, filled);
    assert.deepEqual([...out], [1, 3.5, 5, 5, 4, 6]);
    assert.equal(filled.join(""), "010110");
  });

  it("the median of two is halfway, also where their sum overflows", () => {
    assert.equal(median(Float64Array.of(3, NaN, 1, Infinity), 0, 4), 2);
    assert.equal(median(Float64Array.of(1.5e308, 1.7e308), 0, 2), 1.6e308);
    assert.ok(Number.isNaN(median(Float64Array.of(NaN, Infinity), 0, 2)));
  });
});

describe("regression, k-means and SoftImpute", () => {
  const shape = { rows: 120, columns: 6, factors: 2, noise: 0.05, missingShare: 0.1 };
  const table = tableCase("learnt", 1, shape, (column) => 10 ** column);
  const fillers = {
    regression: regressionFill.bind(null, options),
    "k-means": kMeansFill.bind(null, { ...options, clusters: 12, seed: 1 }),
    SoftImpute: softImputeFill.bind(null, { ...options, shrinkage: 0.05 }),
  };

  /** The root of the mean square by which fills miss, each in its column's scale. */
  function missBy(fill: (typeof fillers)["regression"]): number {
    const out = new Float64Array(table.values.length);
    const filled = new Uint8Array(out.length);
    fill(table.timestamps, table.values, table.columns, out, filled);
    const misses = [...filled.keys()]
      .filter((i) => filled[i] === 1)
      .map((i) => (out[i] - table.complete[i]) / 10 ** (i % table.columns));
    return Math.sqrt(misses.reduce((total, miss) => total + miss * miss, 0) / misses.length);
  }

  const byMean = missBy(meanFill.bind(null, options));
  for (const [name, share] of [
    ["regression", 0.2],
    ["k-means", 0.6],
    ["SoftImpute", 0.4],
  ] as const) {
    it(`${name} learns from the other columns, whatever their scales`, () => {
      const miss = missBy(fillers[name]);
      assert.ok(miss < share * byMean, `misses by ${miss}, the mean by ${byMean}`);
    });
  }

  it("k-means draws the same for the same seed", () => {
    const fills = [7, 7, 8].map((seed) => {
      const out = new Float64Array(table.values.length);
      const of = { ...options, clusters: 5, seed };
      kMeansFill(of, table.timestamps, table.values, table.columns, out, new Uint8Array(out.length));
      return bitText(out);
    });
    assert.equal(fills[0], fills[1]);
    assert.notEqual(fills[0], fills[2]);
  });

  // A power of two changes no digit. Bayesian ridge alone has priors with a unit.
  for (const name of ["k-means", "SoftImpute"] as const) {
    it(`${name} does not care in which unit the table is counted`, () => {
      const fill = fillers[name];
      const out = new Float64Array(table.values.length);
      fill(table.timestamps, table.values, table.columns, out, new Uint8Array(out.length));
      const scaled = new Float64Array(out.length);
      const values = table.values.map((value) => value * 1024);
      fill(table.timestamps, values, table.columns, scaled, new Uint8Array(out.length));
      assert.equal(bitText(scaled), bitText(out.map((value) => value * 1024)));
    });
  }
});
