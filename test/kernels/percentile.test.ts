import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fractionOf, percentileOfSorted, percentileWithout } from "../../services/kernels/percentile.js";
import { emptySortedWindow, rebuild } from "../../services/kernels/sorted-window.js";
import { anyArray, finiteArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const fraction = fc.oneof(
  fc.constantFrom(0, 0.25, 0.5, 0.75, 0.95, 0.99, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

/** pandas' definition, written down afresh. */
function reference(values: number[], at: number): number {
  const ascending = values.map((value) => value + 0).sort((a, b) => a - b);
  if (ascending.length === 0) return NaN;
  const exactPosition = at * (ascending.length - 1);
  const whole = Math.trunc(exactPosition);
  if (whole === exactPosition) return ascending[whole];
  return ascending[whole] + (ascending[whole + 1] - ascending[whole]) * (exactPosition - whole);
}

function sortedWindow(values: ArrayLike<number>): { sorted: Float64Array; length: number } {
  const window = emptySortedWindow();
  rebuild(window, Float64Array.from(values), 0, values.length);
  return window;
}

const of = (values: ArrayLike<number>, at: number): number => {
  const { sorted, length } = sortedWindow(values);
  return percentileOfSorted(sorted, length, at);
};

describe("percentile", () => {
  it("is pandas' linear interpolation, to the bit", () => {
    fc.assert(
      fc.property(anyArray, fraction, (values, at) => {
        const finite = values.filter((value) => Number.isFinite(value));
        fc.pre(finite.every((value) => Math.abs(value) < 8e307));
        assert.equal(bitText([of(values, at)]), bitText([reference(finite, at)]));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("lies between its neighbours also where their distance overflows", () => {
    assert.equal(of([-1.7e308, 1.7e308], 0.5), 0);
    fc.assert(
      fc.property(finiteArray, fraction, (values, at) => {
        const result = of(values, at);
        assert.ok(result >= Math.min(...values) && result <= Math.max(...values), `${result}`);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it("without one value is that of the others", () => {
    fc.assert(
      fc.property(finiteArray, fraction, fc.nat(), (values, at, which) => {
        const { sorted, length } = sortedWindow(values);
        const left = which % length;
        const others = [...sorted.subarray(0, left), ...sorted.subarray(left + 1, length)];
        assert.equal(bitText([percentileWithout(sorted, length, left, at)]), bitText([of(others, at)]));
      }),
      { seed: 3, numRuns: 1000 },
    );
  });

  it("reads only the given length", () => {
    assert.equal(percentileOfSorted(Float64Array.of(1, 2, 3, 99), 3, 1), 3);
    assert.equal(percentileWithout(Float64Array.of(1, 2, 3, 99), 3, 2, 1), 2);
  });

  it("answers 0 for −0 and NaN for nothing", () => {
    assert.equal(bitText([of([-0, -0], 0.3)]), bitText([0]));
    assert.ok(Number.isNaN(of([NaN], 0.5)));
    assert.ok(Number.isNaN(percentileWithout(Float64Array.of(1), 1, 0, 0.5)));
  });

  it("takes its fractions from decimal numbers", () => {
    for (const [percentile, expected] of [
      [99.9, 0.999],
      [95, 0.95],
      [0.1, 0.001],
      [55.5, 0.555],
    ]) {
      assert.equal(fractionOf(percentile), expected);
    }
  });
});
