import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fractionOf, percentileOfSorted, percentileWithout } from "../../services/kernels/percentile.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
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

function sorted(values: ArrayLike<number>): Float64Array {
  const all = new Float64Array(values.length);
  return all.subarray(0, sortInto(all, 0, Float64Array.from(values), 0, values.length));
}

const of = (values: ArrayLike<number>, at: number): number =>
  percentileOfSorted(sorted(values), 0, sorted(values).length, at);

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
        const all = sorted(values);
        const left = which % all.length;
        const others = [...all.subarray(0, left), ...all.subarray(left + 1)];
        assert.equal(bitText([percentileWithout(all, 0, all.length, left, at)]), bitText([of(others, at)]));
      }),
      { seed: 3, numRuns: 1000 },
    );
  });

  it("reads only between start and end", () => {
    const cells = Float64Array.of(-9, -9, 1, 2, 3, 99);
    assert.deepEqual(
      [0, 0.25, 1].map((at) => percentileOfSorted(cells, 2, 5, at)),
      [1, 1.5, 3],
    );
    assert.deepEqual(
      [0, 0.5, 1].map((at) => percentileWithout(cells, 2, 5, 3, at)),
      [1, 2, 3],
    );
    assert.equal(percentileWithout(cells, 2, 5, 4, 1), 2);
    assert.equal(percentileWithout(cells, 2, 5, 2, 0), 2);
  });

  it("answers 0 for −0 and NaN for nothing", () => {
    assert.equal(bitText([of([-0, -0], 0.3)]), bitText([0]));
    assert.ok(Number.isNaN(of([NaN], 0.5)));
    assert.ok(Number.isNaN(percentileWithout(Float64Array.of(1), 0, 1, 0, 0.5)));
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
