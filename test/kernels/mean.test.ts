import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mean } from "../../services/kernels/mean.js";
import { anyArray, finiteArray } from "./arbitrary-values.js";
import { bitText, exact, magnitude, quotient } from "./exact-arithmetic.js";

const of = (...values: number[]): number => mean(Float64Array.from(values), 0, values.length);

describe("mean", () => {
  it("is the exact mean, to 1e-14 of the mean size of the values", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const total = values.reduce((sum, value) => sum + exact(value), 0n);
        const size = values.reduce((sum, value) => sum + magnitude(exact(value)), 0n);
        const off = magnitude(exact(of(...values)) * BigInt(values.length) - total);
        // A mean of denormals is rounded to a multiple of the smallest of them.
        assert.ok(off <= BigInt(values.length) || quotient(off, size) < 1e-14);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("lies between the smallest and the largest value", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const result = of(...values);
        assert.ok(result >= Math.min(...values) && result <= Math.max(...values), `${result}`);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it("of constants is the constant", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 1, max: 800 }),
        (value, count) => assert.equal(of(...new Array<number>(count).fill(value)), value + 0),
      ),
      { seed: 3 },
    );
  });

  it("leaves out what is not finite, to the bit", () => {
    fc.assert(
      fc.property(anyArray, (values) => {
        const finite = values.filter((value) => Number.isFinite(value));
        assert.equal(bitText([of(...values)]), bitText([of(...finite)]));
      }),
      { seed: 4, numRuns: 1000 },
    );
    assert.equal(of(NaN, 1, Infinity, 3, -Infinity), 2);
  });

  it("is NaN for no values", () => {
    assert.ok(Number.isNaN(of()));
    assert.ok(Number.isNaN(of(NaN, Infinity, Infinity)));
    assert.ok(Number.isNaN(of(Infinity, Infinity)));
  });

  it("does not overflow", () => {
    assert.equal(of(1e308, 1.5e308, 1e308, 1e308), 1.125e308);
    assert.equal(of(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE), 0);
  });

  it("answers 0, never −0", () => {
    assert.ok(Object.is(of(-0), 0));
    assert.ok(Object.is(of(-0, -0), 0));
    assert.ok(Object.is(of(-5e-324, 0), 0));
  });
});
