import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isRobustZScoreOutlier } from "../../services/kernels/robust-z-score.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { isZScoreOutlier } from "../../services/kernels/z-score.js";
import { anyArray, finiteArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

interface Verdict {
  readonly outlier: boolean;
  readonly score: number;
  readonly low: number;
  readonly high: number;
}

const verdict = (outlier: boolean, [, score, low, high]: Float64Array): Verdict => ({
  outlier,
  score,
  low,
  high,
});

/** Verdict on one of the values, the last unless told. */
function judge(values: readonly number[], scored = values.length - 1): Verdict {
  const out = new Float64Array(4);
  return verdict(isZScoreOutlier(Float64Array.from(values), 0, values.length, scored, out, 1), out);
}

function judgeRobustly(values: readonly number[], scored = values.length - 1): Verdict {
  const sorted = new Float64Array(values.length);
  const end = sortInto(sorted, 0, Float64Array.from(values), 0, values.length);
  const out = new Float64Array(4);
  return verdict(isRobustZScoreOutlier(sorted, 0, end, values[scored], out, 1), out);
}

const numbers = (count: number, of: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => of(i));
const unjudged: Verdict = { outlier: false, score: NaN, low: NaN, high: NaN };

for (const [name, judged, limit] of [
  ["z-score", judge, 3],
  ["robust z-score", judgeRobustly, 3.5],
] as const) {
  describe(`${name} outliers`, () => {
    it("are found among as few as ten others, which the outlier itself does not hide in", () => {
      assert.equal(judged([...numbers(10, (i) => i), 1000]).outlier, true);
      assert.equal(judged([...numbers(10, (i) => i), -1000]).outlier, true);
      assert.deepEqual(judged([...numbers(9, (i) => i), 1000]), unjudged);
      assert.deepEqual(judged([...numbers(9, (i) => i), NaN, Infinity, 1000]), unjudged);
    });

    it("lie beyond the fences, and a score is a distance from their middle", () => {
      fc.assert(
        fc.property(finiteArray, fc.double({ noNaN: true, noDefaultInfinity: true }), (others, value) => {
          const { outlier, score, low, high } = judged([...others, value]);
          if (Number.isNaN(score)) {
            assert.ok(Number.isNaN(low) && Number.isNaN(high) && !outlier);
            return;
          }
          assert.ok(low <= high && Math.abs(score) <= Number.MAX_VALUE);
          assert.equal(outlier, Math.abs(score) > limit);
          // Within rounding, which for denormals is no small share.
          const slack = 1e-12 * Math.max(Math.abs(low), Math.abs(high), Math.abs(value)) + 1e-320;
          if (outlier) assert.ok(value <= low + slack || value >= high - slack, `${value}: ${low}, ${high}`);
          else assert.ok(value >= low - slack && value <= high + slack, `${value}: ${low}, ${high}`);
        }),
        { seed: 1, numRuns: 1000 },
      );
    });

    it("do not depend on the order of the others, but for the last bits, nor on the level", () => {
      const integer = fc.integer({ min: -1000, max: 1000 });
      fc.assert(
        fc.property(fc.array(integer, { minLength: 11, maxLength: 100 }), integer, (values, level) => {
          const plain = judged(values).score;
          const others = values.slice(0, -1).reverse();
          const reversed = judged([...others, values[values.length - 1]]).score;
          assert.ok(
            Object.is(plain, reversed) || Math.abs(plain - reversed) <= 1e-12 * Math.abs(plain) + 1e-13,
          );
          if (new Set(others).size === 1) return;
          const raised = judged(values.map((value) => value + level * 1024)).score;
          assert.ok(Math.abs(plain - raised) <= 1e-8 * (1 + Math.abs(plain)), `${plain} ${raised}`);
        }),
        { seed: 2, numRuns: 500 },
      );
    });

    it("take 1 % of the level of constants, whatever rounding did to them, and nothing of 0", () => {
      const constant = numbers(50, (i) => (i % 2 === 0 ? 0.3 : 0.1 + 0.2));
      assert.equal(judged([...constant, 0.308]).outlier, false);
      assert.equal(judged([...constant, 0.311]).outlier, true);
      const { low, high, score } = judged([...numbers(50, () => 100), 102]);
      assert.deepEqual({ low, high, score }, { low: 100 - limit, high: 100 + limit, score: 2 });
      assert.deepEqual(judged([...numbers(50, () => 0), 3]), unjudged);
    });

    it("are not judged where the value is not a finite number", () => {
      for (const value of [NaN, Infinity, -Infinity])
        assert.deepEqual(judged([...numbers(50, (i) => i), value]), unjudged);
    });

    it("leave out what is not finite, to the bit", () => {
      fc.assert(
        fc.property(anyArray, (values) => {
          fc.pre(values.length > 0 && Number.isFinite(values[values.length - 1]));
          const finite = values.filter((value) => Number.isFinite(value));
          assert.deepEqual(judged(values), judged(finite));
        }),
        { seed: 3, numRuns: 1000 },
      );
    });

    it("hold for the largest and the smallest of numbers", () => {
      const [plain] = [numbers(30, (i) => i % 7)].map((values) => judged([...values, 20]));
      for (const scale of [2 ** 1019, 2 ** -1074, 2 ** -1000, 2 ** 600]) {
        const { score, outlier } = judged([...numbers(30, (i) => (i % 7) * scale), 20 * scale]);
        assert.ok(Math.abs(score - plain.score) < 1e-12 && outlier === plain.outlier, `${scale}: ${score}`);
      }
      const alternating = numbers(20, (i) => (i % 2 === 0 ? 1 : -1) * Number.MAX_VALUE);
      assert.equal(judged([...alternating, 0]).outlier, false);
      assert.equal(judged([...numbers(20, (i) => i * 1e-300), Number.MAX_VALUE]).score, Number.MAX_VALUE);
    });
  });
}

describe("z-score", () => {
  it("is the distance from the others' mean in their deviations", () => {
    // Mean 4, variance 4 with ddof = 0.
    const others = numbers(12, (i) => (i % 2 === 0 ? 2 : 6));
    assert.deepEqual(judge([...others, 9]), { outlier: false, score: 2.5, low: -2, high: 10 });
    assert.deepEqual(judge([...others, 11]), { outlier: true, score: 3.5, low: -2, high: 10 });
    for (const scored of [0, 5, 12]) {
      const values = [...others.slice(0, scored), 11, ...others.slice(scored)];
      assert.equal(judge(values, scored).score, 3.5);
    }
  });

  it("depends on the window's contents only, and changes no input", () => {
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, fc.nat(), (before, window, after, at) => {
        fc.pre(window.length > 0);
        const all = Float64Array.from([...before, ...window, ...after]);
        const unchanged = bitText(all);
        const first = before.length;
        const end = first + window.length;
        const scored = first + (at % window.length);
        const within = new Float64Array(3);
        const alone = new Float64Array(3);
        isZScoreOutlier(all, first, end, scored, within, 0);
        isZScoreOutlier(all.slice(first, end), 0, window.length, scored - first, alone, 0);
        assert.equal(bitText(within), bitText(alone));
        assert.equal(bitText(all), unchanged);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});

describe("robust z-score", () => {
  const medianOf = (values: readonly number[]): number => {
    const ascending = [...values].sort((a, b) => a - b);
    const half = ascending.length >>> 1;
    return ascending.length % 2 === 1 ? ascending[half] : (ascending[half - 1] + ascending[half]) / 2;
  };

  it("is 0.6745 (x − median) / MAD of the others, found without sorting the distances", () => {
    const integer = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(fc.array(integer, { minLength: 10, maxLength: 80 }), integer, (others, value) => {
        const median = medianOf(others);
        const distances = others.map((other) => Math.abs(other - median));
        const mad = medianOf(distances);
        const meanDistance = distances.reduce((sum, distance) => sum + distance, 0) / others.length;
        fc.pre(meanDistance > 0);
        const deviation = mad > 0 ? mad / 0.6745 : 1.253314 * meanDistance;
        const { score } = judgeRobustly([...others, value]);
        assert.ok(Math.abs(score - (value - median) / deviation) <= 1e-12, `${score}`);
      }),
      { seed: 5, numRuns: 3000 },
    );
  });

  it("falls back to the mean distance where more than half of the others are equal", () => {
    const mostlyIdle = numbers(50, (i) => (i % 5 === 0 ? 50 : 100));
    assert.equal(judgeRobustly([...mostlyIdle, 90]).score, -10 / (1.253314 * 10));
  });
});
