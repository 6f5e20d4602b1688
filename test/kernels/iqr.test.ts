import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { sortInto } from "../../services/kernels/sorted-values.js";

/** Verdict on the last value among the others, and the fences. */
function judge(...values: number[]): { outlier: boolean; low: number; high: number } {
  const sorted = new Float64Array(values.length);
  const end = sortInto(sorted, 0, Float64Array.from(values), 0, values.length);
  const out = new Float64Array(3);
  const outlier = isIqrOutlier(sorted, 0, end, values[values.length - 1], out, 1);
  return { outlier, low: out[1], high: out[2] };
}

const numbers = (count: number, of: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => of(i));

describe("IQR outliers", () => {
  const number = fc.integer({ min: -10_000, max: 10_000 }).map((n) => n / 7);

  it("lie outside Tukey's fences of the other values", () => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 10, maxLength: 200 }),
        fc.oneof(number, fc.integer({ min: -100_000, max: 100_000 })),
        (others, value) => {
          const ascending = others.map((other) => other + 0).sort((a, b) => a - b);
          const quartile = (at: number): number => {
            const position = at * (ascending.length - 1);
            const below = Math.floor(position);
            const above = Math.min(below + 1, ascending.length - 1);
            return ascending[below] + (ascending[above] - ascending[below]) * (position - below);
          };
          const [q1, q3] = [quartile(0.25), quartile(0.75)];
          fc.pre(q3 - q1 > 1e-9);
          const { outlier, low, high } = judge(...others, value);
          assert.equal(low, q1 - 1.5 * (q3 - q1));
          assert.equal(high, q3 + 1.5 * (q3 - q1));
          assert.equal(outlier, value < low || value > high);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("are found among as few as ten others, which the outlier itself does not hide in", () => {
    assert.equal(judge(...numbers(10, (i) => i), 1000).outlier, true);
    assert.deepEqual(judge(...numbers(9, (i) => i), 1000), { outlier: false, low: NaN, high: NaN });
  });

  it("need a spread: where half the values are equal, that of nine tenths", () => {
    const mostlyIdle = numbers(50, (i) => (i % 5 === 0 ? 50 : 100));
    assert.equal(judge(...mostlyIdle, 50).outlier, false);
    assert.equal(judge(...mostlyIdle, 300).outlier, true);
  });

  it("take 1 % of the level of constants, whatever rounding did to them", () => {
    const constant = numbers(50, (i) => (i % 2 === 0 ? 0.3 : 0.1 + 0.2));
    assert.equal(judge(...constant, 0.301).outlier, false);
    assert.equal(judge(...constant, 0.31).outlier, true);
    assert.equal(judge(...numbers(50, (i) => (i === 0 ? 1e6 : -7)), 1e6).outlier, true);
  });

  it("are not judged where all is 0, or the value is not a finite number", () => {
    assert.equal(judge(...numbers(50, () => 0), 3).outlier, false);
    assert.equal(judge(...numbers(50, (i) => i), NaN).outlier, false);
    assert.equal(judge(...numbers(50, (i) => i), Infinity).outlier, false);
  });
});
