import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import { ascendingTimestamps, gaps } from "./arbitrary-values.js";

it("bounds the window (t − w, t]", () => {
  const timestamps = Float64Array.of(0, 5_000, 10_000, 15_000);
  assert.equal(firstAfter(timestamps, 0, 4, 15_000 - 10_000), 2, "a sample at t − w is outside");
  assert.equal(firstAfter(timestamps, 0, 4, 15_000), 4, "a sample at t is inside");
  assert.equal(firstAfter(timestamps, 0, 0, 3), 0);
});

it("finds what a filter finds, within any bounds, wherever it starts", () => {
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: -10, max: 500_000 }),
      fc.integer({ min: -5, max: 60 }),
      (someGaps, a, b, ms, guess) => {
        const timestamps = ascendingTimestamps(50, 0, someGaps);
        const [first, end] = [Math.min(a, b), Math.max(a, b)];
        const expected =
          first + timestamps.subarray(first, end).filter((timestamp) => timestamp <= ms).length;
        assert.equal(firstAfter(timestamps, first, end, ms), expected);
        assert.equal(firstAfter(timestamps, first, end, ms, guess), expected);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
});
