import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sortInto } from "../../../services/kernels/sorted-values.js";
import { extremesAndCount } from "../../../services/kernels/statistics/extremes.js";
import { medianOfSorted } from "../../../services/kernels/statistics/median.js";
import { medianAbsoluteDeviation } from "../../../services/kernels/statistics/median-absolute-deviation.js";
import { numberOfPeaks } from "../../../services/kernels/statistics/peaks.js";
import {
  openStatisticsState,
  type StatisticsPlan,
  statisticalFeatures,
  statisticalNames,
} from "../../../services/kernels/statistics/statistical-features.js";
import { anyArray, finiteArray } from "../arbitrary-values.js";
import { bitText } from "../exact-arithmetic.js";
import { variationOf } from "./variation-of.js";

const plan: StatisticsPlan = { lags: [1, 2, 7], supports: [1, 3], sigmas: [1, 2] };

function features(values: Float64Array, first = 0, end = values.length, state = openStatisticsState()) {
  const names = statisticalNames(plan);
  const out = new Float64Array(names.length + 2).fill(-7);
  statisticalFeatures(plan, state, values, first, end, out, 1);
  assert.deepEqual([out[0], out[out.length - 1]], [-7, -7], "wrote only its own columns");
  return out.subarray(1, -1);
}

function named(...values: number[]): Record<string, number> {
  const numbers = features(Float64Array.from(values));
  return Object.fromEntries(statisticalNames(plan).map((name, i) => [name, numbers[i]]));
}

function sorted(values: readonly number[]): Float64Array {
  const all = new Float64Array(values.length);
  return all.subarray(0, sortInto(all, 0, Float64Array.from(values), 0, values.length));
}

describe("statistical features", () => {
  it("follow tsfresh's definitions by hand", () => {
    const all = named(3, 0, 0, 4, 0, 0, 13, NaN, 4);
    assert.equal(all["abs_energy"], 9 + 16 + 169 + 16);
    assert.equal(all["mean_change"], 1 / 7);
    assert.equal(all["mean_abs_change"], (3 + 4 + 4 + 13 + 9) / 7);
    assert.equal(all["cid_ce"], Math.sqrt(9 + 16 + 16 + 169 + 81));
    assert.equal(all["variance"], 210 / 8 - 9);
    assert.equal(all["count_above_mean"], 3);
    assert.equal(all["count_below_mean"], 4);
    assert.equal(all["longest_strike_above_mean"], 2);
    assert.equal(all["longest_strike_below_mean"], 2);
    assert.equal(all["first_location_of_maximum"], 6 / 8);
    assert.equal(all["last_location_of_minimum"], 6 / 8);
    assert.equal(all["number_peaks_1"], 2);
    assert.equal(all["number_peaks_3"], 0);
    assert.equal(all["ratio_beyond_2_sigma"], 1 / 8);
  });

  it("count peaks as tsfresh's own example does", () => {
    const values = Float64Array.of(3, 0, 0, 4, 0, 0, 13);
    assert.deepEqual(
      [1, 2, 3, 4].map((support) => numberOfPeaks(values, 0, 7, support)),
      [1, 1, 0, 0],
    );
  });

  it("find nothing beyond one deviation in two values, which both are exactly that far away", () => {
    assert.equal(named(1.3, 2.7)["ratio_beyond_1_sigma"], 0);
  });

  it("of constants are zeros, and NaN where nothing is divided by nothing", () => {
    const all = named(...new Array<number>(700).fill(0.1));
    for (const name of ["variance", "count_above_mean", "longest_strike_below_mean", "cid_ce_normalized"])
      assert.equal(all[name], 0, name);
    for (const name of ["skewness", "kurtosis", "autocorrelation_1"]) assert.equal(all[name], NaN, name);
  });

  it("answer NaN for no values at all", () => {
    assert.ok(features(new Float64Array(0)).every((value) => Number.isNaN(value)));
    assert.ok(features(Float64Array.of(NaN, Infinity)).every((value) => Number.isNaN(value)));
  });

  it("depend on the window's finite values only, whatever the state was used for, and change no input", () => {
    const used = openStatisticsState();
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, (before, window, after) => {
        const all = Float64Array.from([...before, ...window, ...after]);
        const unchanged = bitText(all);
        const within = features(all, before.length, before.length + window.length, used);
        const alone = features(Float64Array.from(window.filter((value) => Number.isFinite(value))));
        assert.equal(bitText(within), bitText(alone));
        assert.equal(bitText(all), unchanged);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("scale with a power of two", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -100, max: 100 }), { minLength: 1 }), (raw) => {
        // Multiples of a power of two, which no scaling rounds.
        const values = Float64Array.from(raw, (value) => Math.round(value * 1024) / 1024);
        const [plain, huge] = [features(values), features(values.map((value) => value * 2 ** 900))];
        for (const [i, name] of statisticalNames(plan).entries()) {
          if (["variance", "abs_energy"].includes(name)) continue;
          const power = ["mean_abs_change", "mean_change", "cid_ce"].includes(name) ? 900 : 0;
          assert.ok(Object.is(huge[i] + 0, plain[i] * 2 ** power + 0), `${name}: ${huge[i]}, ${plain[i]}`);
        }
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe("median absolute deviation", () => {
  it("is the median of the distances from the median", () => {
    assert.equal(medianAbsoluteDeviation(Float64Array.of(1, 1, 2, 2, 4, 6, 9), 0, 7), 1);
    assert.equal(medianAbsoluteDeviation(Float64Array.of(1, 2, 4, 9), 0, 4), 1.5);
    assert.equal(medianAbsoluteDeviation(new Float64Array(0), 0, 0), NaN);
  });

  it("equals sorting the distances, to the bit", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const all = sorted(values);
        const median = medianOfSorted(all, 0, all.length);
        const distances = sorted(Array.from(all, (value) => Math.abs(value - median)));
        fc.pre(distances.length === all.length);
        assert.equal(
          bitText([medianAbsoluteDeviation(all, 0, all.length)]),
          bitText([medianOfSorted(distances, 0, distances.length)]),
        );
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe("extremes, count and variation", () => {
  it("leave out what is not finite", () => {
    const out = new Float64Array(3);
    extremesAndCount(Float64Array.of(NaN, 3, -Infinity, -0, 2), 0, 5, out, 0);
    assert.deepEqual([...out], [0, 3, 3]);
    extremesAndCount(Float64Array.of(NaN), 0, 1, out, 0);
    assert.deepEqual([...out], [NaN, NaN, 0]);
    assert.equal(variationOf(Float64Array.of(1, NaN, 3), 0, 3), Math.SQRT2 / 2);
  });

  it("has the mean's sign, and no variation without a mean", () => {
    assert.equal(variationOf(Float64Array.of(-1, -3), 0, 2), -Math.SQRT2 / 2);
    assert.equal(variationOf(Float64Array.of(-1, 1), 0, 2), NaN);
    assert.equal(variationOf(Float64Array.of(0, 0), 0, 2), NaN);
    assert.equal(variationOf(Float64Array.of(4), 0, 1), NaN);
  });

  it("varies by as much whatever the unit, to the bit where a power of two is no rounding", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2 }), (raw) => {
        const values = Float64Array.from(raw);
        const plain = variationOf(values, 0, raw.length);
        for (const unit of [5e-324, 2 ** 1013])
          assert.ok(
            Math.abs(
              variationOf(
                values.map((value) => value * unit),
                0,
                raw.length,
              ) - plain,
            ) <=
              1e-14 * plain,
          );
      }),
      { seed: 1 },
    );
  });
});
