import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fitOr, smoothByLoess } from "../../services/kernels/loess.js";

const smooth = (y: number[], span: number, robustness: Float64Array | null = null): number[] => {
  const out = new Float64Array(y.length);
  smoothByLoess(Float64Array.from(y), y.length, span, robustness, new Float64Array(span), out);
  return [...out];
};
const near = (actual: number, expected: number): boolean => Math.abs(actual - expected) < 1e-9;

describe("loess", () => {
  it("keeps a line, whatever the weights, and goes on beyond its ends", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 40 }),
        fc.constantFrom(3, 7, 15),
        fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
        (count, span, weights) => {
          const line = Array.from({ length: count }, (_, i) => 3 - 2 * i);
          for (const robustness of [null, Float64Array.from(weights)]) {
            assert.ok(smooth(line, span, robustness).every((value, i) => near(value, line[i])));
            if (span === 3) continue;
            const y = Float64Array.from(line);
            const scratch = new Float64Array(span);
            assert.ok(near(fitOr(NaN, 0, y, count, span, robustness, scratch), 5));
            assert.ok(near(fitOr(NaN, count + 1, y, count, span, robustness, scratch), 3 - 2 * count));
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it("takes the level of the tricube weights in the middle", () => {
    const weight = (1 - (1 / 2) ** 3) ** 3;
    const [, , middle] = smooth([0, 0, 1, 0, 0, 0], 5);
    assert.ok(near(middle, 1 / (1 + 2 * weight)));
  });

  it("leaves a number as it is where all its neighbours have no weight", () => {
    assert.deepEqual(smooth([1, 5, 2, 7], 3, new Float64Array(4)), [1, 5, 2, 7]);
    assert.deepEqual(smooth([1, 5, 2, 7], 7, new Float64Array(4)), [1, 5, 2, 7]);
  });
});
