import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Decomposition, openDecomposition } from "../../services/kernels/decomposition.js";
import { movingSums } from "../../services/kernels/moving-sum.js";
import { residualScores } from "../../services/kernels/seasonal-anomalies.js";
import {
  openSeasonalDecomposeScratch,
  seasonalDecompose,
} from "../../services/kernels/seasonal-decompose.js";
import {
  openSeasonalScratch,
  seasonalFeatures,
  seasonalWidth,
} from "../../services/kernels/seasonal-features.js";
import { decompositionStrengths } from "../../services/kernels/seasonal-strength.js";
import { openStlScratch, stl } from "../../services/kernels/stl.js";
import { anyArray, ascendingTimestamps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

type Decompose = (values: Float64Array, first: number, end: number, period: number) => Decomposition;

const decomposeScratch = openSeasonalDecomposeScratch();
const stlScratch = openStlScratch();

const byAverages =
  (model: "additive" | "multiplicative", twoSided: boolean): Decompose =>
  (values, first, end, period) => {
    const parts = openDecomposition(end - first);
    seasonalDecompose({ period, model, twoSided }, decomposeScratch, values, first, end, parts);
    return parts;
  };
const byLoess =
  (robust: boolean): Decompose =>
  (values, first, end, period) => {
    const parts = openDecomposition(end - first);
    stl({ period, seasonal: 7, robust }, stlScratch, values, first, end, parts);
    return parts;
  };
const decompositions: Record<string, Decompose> = {
  "additive, two-sided": byAverages("additive", true),
  "additive, one-sided": byAverages("additive", false),
  "multiplicative, two-sided": byAverages("multiplicative", true),
  STL: byLoess(false),
  "robust STL": byLoess(true),
};

const all = (parts: Decomposition): number[] => [...parts.trend, ...parts.seasonal, ...parts.residual];
const period = fc.constantFrom(2, 3, 4, 7);

for (const [name, decompose] of Object.entries(decompositions)) {
  describe(`decomposition, ${name}`, () => {
    it("depends on the window's contents only, with a scratch of whatever past, and changes nothing", () => {
      fc.assert(
        fc.property(anyArray, anyArray, anyArray, period, (before, window, after, p) => {
          const values = Float64Array.from([...before, ...window, ...after]);
          const [first, end] = [before.length, before.length + window.length];
          const within = decompose(values, first, end, p);
          const alone = decompose(Float64Array.from(window), 0, window.length, p);
          assert.equal(bitText(all(within)), bitText(all(alone)));
          assert.equal(bitText(values), bitText([...before, ...window, ...after]));
        }),
        { seed: 1, numRuns: 200 },
      );
    });

    it("has no answer for less than two periods, or with a value that is not finite", () => {
      const values = Float64Array.from({ length: 14 }, (_, i) => 1 + (i % 7));
      assert.ok(!all(decompose(values, 0, 14, 7)).every(Number.isNaN));
      assert.ok(all(decompose(values, 0, 13, 7)).every(Number.isNaN));
      for (const odd of [NaN, Infinity, -Infinity]) {
        values[5] = odd;
        assert.ok(all(decompose(values, 0, 14, 7)).every(Number.isNaN));
      }
    });

    it("gives parts that make up the values, and follows a power of two to the bit", () => {
      const positive = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 14, maxLength: 60 });
      fc.assert(
        fc.property(positive, period, fc.constantFrom(2 ** 60, 2 ** -60), (raw, p, factor) => {
          const values = Float64Array.from(raw);
          const isProduct = name.startsWith("multiplicative");
          const { trend, seasonal, residual } = decompose(values, 0, values.length, p);
          values.forEach((value, i) => {
            if (Number.isNaN(residual[i])) return;
            const whole = isProduct
              ? trend[i] * seasonal[i] * residual[i]
              : trend[i] + seasonal[i] + residual[i];
            assert.ok(Math.abs(whole - value) < 1e-11 * 1000, `${whole} is not ${value}`);
          });
          const scaled = values.map((value) => value * factor);
          const parts = decompose(scaled, 0, values.length, p);
          const back = (part: Float64Array) => part.map((value) => value / factor);
          const same = isProduct
            ? [...back(parts.trend), ...parts.seasonal, ...parts.residual]
            : [...back(parts.trend), ...back(parts.seasonal), ...back(parts.residual)];
          assert.equal(bitText(same), bitText([...trend, ...seasonal, ...residual]));
        }),
        { seed: 2, numRuns: 200 },
      );
    });
  });
}

// Not of products; and where robust weights come from rounding, the parts do too.
for (const name of ["additive, two-sided", "additive, one-sided", "STL"]) {
  it(`decomposition, ${name}, puts a level that is added into the trend, within rounding`, () => {
    const value = fc.double({ noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 14, maxLength: 60 }), period, (raw, p) => {
        const higher = Float64Array.from(raw, (y) => y + 1000);
        const low = decompositions[name](Float64Array.from(raw), 0, raw.length, p);
        const high = decompositions[name](higher, 0, raw.length, p);
        const expected = [...low.trend.map((y) => y + 1000), ...low.seasonal, ...low.residual];
        all(high).forEach((part, i) =>
          assert.ok(Number.isNaN(expected[i]) ? Number.isNaN(part) : Math.abs(part - expected[i]) < 1e-9),
        );
      }),
      { seed: 3, numRuns: 200 },
    );
  });
}

describe("seasonal_decompose", () => {
  it("separates a line from a season", () => {
    const season = [-2, 0, 3, -1];
    const values = Float64Array.from({ length: 16 }, (_, i) => 10 + i + season[i % 4]);
    const two = byAverages("additive", true)(values, 0, 16, 4);
    assert.deepEqual([...two.trend.subarray(0, 4)], [NaN, NaN, 12, 13]);
    assert.deepEqual([...two.seasonal.subarray(0, 5)], [-2, 0, 3, -1, -2]);
    assert.deepEqual([...two.residual.subarray(12)], [0, 0, NaN, NaN]);
    // The mean of the period before lies half a period behind.
    const one = byAverages("additive", false)(values, 0, 16, 4);
    assert.deepEqual([...one.trend.subarray(3, 6)], [NaN, 12, 13]);
    assert.deepEqual([...one.seasonal.subarray(0, 4)], season);
    assert.deepEqual([...one.residual.subarray(4, 6)], [2, 2]);
  });

  it("has no product of values that are not above 0", () => {
    const values = Float64Array.from({ length: 8 }, (_, i) => i);
    assert.ok(all(byAverages("multiplicative", true)(values, 0, 8, 2)).every(Number.isNaN));
  });

  it("holds at the ends of the range of doubles", () => {
    const huge = Float64Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 1.7e308 : -1.7e308));
    for (const decompose of [byAverages("additive", true), byLoess(false)]) {
      const { seasonal } = decompose(huge, 0, 8, 2);
      assert.ok(Math.abs(seasonal[0] / 1.7e308 - 1) < 1e-12);
    }
  });
});

describe("moving sums", () => {
  it("are the sums of neighbours, also in place", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 50 }),
        fc.integer({ min: 1, max: 12 }),
        (raw, length) => {
          const expected = raw
            .slice(0, Math.max(0, raw.length - length + 1))
            .map((_, i) => raw.slice(i, i + length).reduce((sum, value) => sum + value, 0));
          const values = Float64Array.from(raw);
          const out = new Float64Array(raw.length + 1);
          movingSums(values, 0, raw.length, length, new Float64Array(length), out, 1);
          assert.deepEqual([...out.subarray(1, 1 + expected.length)], expected);
          movingSums(values, 0, raw.length, length, new Float64Array(length), values, 0);
          assert.deepEqual([...values.subarray(0, expected.length)], expected);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("seasonal strength", () => {
  const strengthsOf = (trend: number[], seasonal: number[], residual: number[]): number[] => {
    const parts = {
      trend: Float64Array.from(trend),
      seasonal: Float64Array.from(seasonal),
      residual: Float64Array.from(residual),
    };
    const out = new Float64Array(2);
    decompositionStrengths(parts, trend.length, new Float64Array(trend.length), out, 0);
    return [...out];
  };

  it("is 1 for season alone, 0 for none, and the share between", () => {
    assert.deepEqual(strengthsOf([5, 5, 5, 5], [1, -1, 1, -1], [0, 0, 0, 0]), [1, 0]);
    assert.deepEqual(strengthsOf([1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0]), [0, 1]);
    const [half] = strengthsOf([0, 0, 0, 0], [1, -1, 1, -1], [1, 1, -1, -1]);
    assert.ok(Math.abs(half - 0.5) < 1e-15);
  });

  it("leaves out the ends without a residual, and takes rounding for no season", () => {
    assert.deepEqual(strengthsOf([NaN, 5, 5, NaN], [9, 1, -1, 9], [NaN, 0, 0, NaN]), [1, 0]);
    assert.deepEqual(strengthsOf([0.1, 0.1], [1e-17, -1e-17], [0, 1e-17]), [0, 0]);
    assert.deepEqual(strengthsOf([NaN], [NaN], [NaN]), [NaN, NaN]);
    assert.deepEqual(strengthsOf([1], [1], [1]), [0, 0]);
  });
});

describe("seasonal anomalies", () => {
  const scoresOf = (from: number, ...residual: number[]): number[] => {
    const zeros = new Float64Array(residual.length);
    const parts = { trend: zeros.map(() => 1), seasonal: zeros, residual: Float64Array.from(residual) };
    const out = new Float64Array(residual.length - from);
    residualScores(parts, from, residual.length, zeros.slice(), out, 0);
    return [...out];
  };

  it("are robust z-scores of the residual", () => {
    assert.deepEqual(scoresOf(0, NaN, 1, 2, 3, 4, 13), [NaN, -1.349, -0.6745, 0, 0.6745, 6.745]);
    assert.deepEqual(scoresOf(4, 1, 2, 3, 4, 13), [6.745]);
  });

  it("have no scale among equals, or where there is only rounding", () => {
    assert.deepEqual(scoresOf(0, 2, 2, 2, 5), [NaN, NaN, NaN, NaN]);
    assert.deepEqual(scoresOf(0, 1e-17, 2e-17, 3e-17), [NaN, NaN, NaN]);
    assert.deepEqual(scoresOf(0, NaN), [NaN]);
    assert.deepEqual(scoresOf(0), []);
  });
});

describe("seasonal features", () => {
  const plan = { period: 4, intervalMs: 5_000 };
  const row = (
    timestamps: Float64Array,
    values: Float64Array,
    first = 0,
    scratch = openSeasonalScratch(),
  ) => {
    const out = new Float64Array(seasonalWidth + 2).fill(-7);
    seasonalFeatures(plan, scratch, timestamps, values, first, values.length, out, 1);
    assert.deepEqual([out[0], out[seasonalWidth + 1]], [-7, -7], "wrote only its own columns");
    return [...out.subarray(1, -1)];
  };

  it("are the newest sample's trend, season, residual, and the season's strength", () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => 7 + [-2, 0, 3, -1][i % 4]);
    const timestamps = ascendingTimestamps(12, 0, [5_000]);
    assert.deepEqual(row(timestamps, values), [7, -1, 0, 1]);
  });

  it("have no answer across a gap, with a sample too many, or too few", () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => i % 4);
    const every = (...steps: number[]) => ascendingTimestamps(12, 0, steps);
    const none = [NaN, NaN, NaN, NaN];
    assert.deepEqual(row(every(5_000, 5_000, 5_000, 7_501), values), none);
    assert.deepEqual(row(every(5_000, 5_000, 5_000, 2_499), values), none);
    assert.deepEqual(row(every(5_000), values, 5), none);
    assert.notDeepEqual(row(every(5_000, 4_000, 6_000), values, 4), none);
    values[6] = NaN;
    assert.deepEqual(row(every(5_000), values), none);
  });

  it("depend on the window's contents only, with a scratch of whatever past", () => {
    const used = openSeasonalScratch();
    fc.assert(
      fc.property(anyArray, anyArray, (before, window) => {
        const values = Float64Array.from([...before, ...window]);
        const timestamps = ascendingTimestamps(values.length, 0, [5_000]);
        const alone = row(timestamps.slice(before.length), values.slice(before.length));
        assert.equal(bitText(row(timestamps, values, before.length, used)), bitText(alone));
        assert.equal(bitText(values), bitText([...before, ...window]));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
