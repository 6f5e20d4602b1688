import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  mean,
  meanAndStandardDeviation,
  standardDeviation,
} from "../../services/kernels/mean-and-deviation.js";
import { anyArray, finiteArray } from "./arbitrary-values.js";
import { bitText, exact, magnitude, quotient } from "./exact-arithmetic.js";

const meanOf = (...values: number[]): number => mean(Float64Array.from(values), 0, values.length);
const deviationOf = (...values: number[]): number =>
  standardDeviation(Float64Array.from(values), 0, values.length);

describe("mean", () => {
  it("is the exact mean, to 1e-11 of itself, also where the values cancel each other", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const total = values.reduce((sum, value) => sum + exact(value), 0n);
        const size = values.reduce((sum, value) => sum + magnitude(exact(value)), 0n);
        const off = magnitude(exact(meanOf(...values)) * BigInt(values.length) - total);
        // A mean of denormals is rounded to a multiple of the smallest of them.
        if (off <= BigInt(values.length)) return;
        // What twice the precision loses is a share of the largest values that only a tiny mean can see.
        assert.ok(quotient(off, size) < 1e-28 || quotient(off, magnitude(total)) < 1e-11);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("lies between the smallest and the largest value", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const result = meanOf(...values);
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
        (value, count) => assert.equal(meanOf(...new Array<number>(count).fill(value)), value + 0),
      ),
      { seed: 3 },
    );
  });

  it("leaves out what is not finite, to the bit", () => {
    fc.assert(
      fc.property(anyArray, (values) => {
        const finite = values.filter((value) => Number.isFinite(value));
        assert.equal(bitText([meanOf(...values)]), bitText([meanOf(...finite)]));
      }),
      { seed: 4, numRuns: 1000 },
    );
    assert.equal(meanOf(NaN, 1, Infinity, 3, -Infinity), 2);
  });

  it("is NaN for no values", () => {
    assert.ok(Number.isNaN(meanOf()));
    assert.ok(Number.isNaN(meanOf(NaN, Infinity, Infinity)));
    assert.ok(Number.isNaN(meanOf(Infinity, Infinity)));
  });

  it("does not overflow", () => {
    assert.equal(meanOf(1e308, 1.5e308, 1e308, 1e308), 1.125e308);
    assert.equal(meanOf(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE), 0);
  });

  it("keeps what is left when large values cancel each other", () => {
    assert.equal(meanOf(1e16, 1, -1e16), 1 / 3);
    assert.equal(meanOf(1e100, 3, -1e100, 1), 1);
  });

  it("answers 0, never −0", () => {
    assert.ok(Object.is(meanOf(-0), 0));
    assert.ok(Object.is(meanOf(-0, -0), 0));
    assert.ok(Object.is(meanOf(-5e-324, 0), 0));
  });
});

describe("standard deviation", () => {
  it("squared is the exact variance with ddof = 1, to 1e-13 relative", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        fc.pre(values.length > 1);
        const result = deviationOf(...values);
        fc.pre(result < 1e308);
        const count = BigInt(values.length);
        const total = values.reduce((sum, value) => sum + exact(value), 0n);
        const squares = values.reduce((sum, value) => sum + exact(value) ** 2n, 0n);
        const variance = count * squares - total ** 2n;
        if (variance === 0n) {
          assert.equal(result, 0);
          return;
        }
        const off = magnitude(exact(result) ** 2n * count * (count - 1n) - variance);
        // A deviation among the denormals has few bits.
        const allowed = result < 1e-300 ? 1e-13 + (4 * 5e-324) / result : 1e-13;
        assert.ok(quotient(off, variance) < allowed, `off by ${quotient(off, variance)}`);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("of constants is exactly 0", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 2, max: 800 }),
        (value, count) => assert.equal(deviationOf(...new Array<number>(count).fill(value)), 0),
      ),
      { seed: 2 },
    );
    assert.equal(deviationOf(0.1, NaN, 0.1, 0.1), 0);
  });

  it("comes with the mean, to the bit, and leaves out what is not finite", () => {
    fc.assert(
      fc.property(anyArray, (raw) => {
        const values = Float64Array.from(raw);
        const out = Float64Array.of(-1, -1, -1, -1);
        meanAndStandardDeviation(values, 0, values.length, out, 1);
        const finite = values.filter((value) => Number.isFinite(value));
        assert.equal(
          bitText(out),
          bitText([-1, mean(values, 0, values.length), standardDeviation(finite, 0, finite.length), -1]),
        );
      }),
      { seed: 3, numRuns: 1000 },
    );
  });

  it("is NaN for fewer than two values", () => {
    for (const values of [[], [1], [NaN], [NaN, 7], [Infinity, 7], [Infinity, Infinity]]) {
      assert.ok(Number.isNaN(deviationOf(...values)), values.join());
    }
  });

  it("holds where squares overflow or vanish", () => {
    assert.equal(deviationOf(1e300, 2e300, 3e300), 1e300);
    assert.equal(deviationOf(2 ** -1000, 2 ** -999, 3 * 2 ** -1000), 2 ** -1000);
    assert.equal(deviationOf(0, 5e-324, 1e-323), 5e-324);
    assert.equal(deviationOf(1e9, 1e9 + 1, 1e9 + 2), 1);
  });
});
