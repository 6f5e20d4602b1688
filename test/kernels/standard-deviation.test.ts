import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mean } from "../../services/kernels/mean.js";
import { meanAndStandardDeviation, standardDeviation } from "../../services/kernels/standard-deviation.js";
import { anyArray, finiteArray } from "./arbitrary-values.js";
import { bitText, exact, magnitude, quotient } from "./exact-arithmetic.js";

const of = (...values: number[]): number => standardDeviation(Float64Array.from(values), 0, values.length);

describe("standard deviation", () => {
  it("squared is the exact variance with ddof = 1, to 1e-13 relative", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        fc.pre(values.length > 1);
        const result = of(...values);
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
        (value, count) => assert.equal(of(...new Array<number>(count).fill(value)), 0),
      ),
      { seed: 2 },
    );
    assert.equal(of(0.1, NaN, 0.1, 0.1), 0);
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
      assert.ok(Number.isNaN(of(...values)), values.join());
    }
  });

  it("holds where squares overflow or vanish", () => {
    assert.equal(of(1e300, 2e300, 3e300), 1e300);
    assert.equal(of(2 ** -1000, 2 ** -999, 3 * 2 ** -1000), 2 ** -1000);
    assert.equal(of(0, 5e-324, 1e-323), 5e-324);
    assert.equal(of(1e9, 1e9 + 1, 1e9 + 2), 1);
  });
});
