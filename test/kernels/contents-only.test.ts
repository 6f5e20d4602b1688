import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mean, standardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { increase, rate } from "../../services/kernels/rate.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { percentileOfSorted } from "../../services/kernels/percentile.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

function sorted(values: Float64Array, first: number, end: number): Float64Array {
  const all = new Float64Array(end - first);
  return all.subarray(0, sortInto(all, 0, values, first, end));
}

/** Every kernel over a window, as a function of the arrays and the window's bounds. */
const kernels: Record<
  string,
  (timestamps: Float64Array, values: Float64Array, first: number, end: number) => number[]
> = {
  mean: (_, values, first, end) => [mean(values, first, end)],
  standardDeviation: (_, values, first, end) => [standardDeviation(values, first, end)],
  percentile: (_, values, first, end) => {
    const all = sorted(values, first, end);
    return [percentileOfSorted(all, 0, all.length, 0.95)];
  },
  iqr: (_, values, first, end) => {
    const fences = new Float64Array(2);
    const all = sorted(values, first, end);
    const verdict = isIqrOutlier(all, 0, all.length, values[end - 1], fences, 0);
    return [Number(verdict), ...fences];
  },
  rate: (timestamps, values, first, end) => [
    rate(timestamps, values, null, first, end, timestamps[end - 1], 600_000),
  ],
  increase: (timestamps, values, first, end) => [
    increase(timestamps, values, null, first, end, timestamps[end - 1], 600_000),
  ],
};

describe("window kernels", () => {
  for (const [name, kernel] of Object.entries(kernels)) {
    it(`${name} depends on the window's contents only, changes no input and never throws`, () => {
      fc.assert(
        fc.property(anyArray, anyArray, anyArray, gaps, (before, window, after, someGaps) => {
          const all = Float64Array.from([...before, ...window, ...after]);
          const timestamps = ascendingTimestamps(all.length, 1_760_000_000_000, someGaps);
          const unchanged = [bitText(all), bitText(timestamps)];
          const first = before.length;
          const end = first + window.length;
          const within = kernel(timestamps, all, first, end);
          const alone = kernel(timestamps.slice(first, end), all.slice(first, end), 0, window.length);
          assert.equal(bitText(within), bitText(alone));
          assert.deepEqual([bitText(all), bitText(timestamps)], unchanged);
        }),
        { seed: 1, numRuns: 500 },
      );
    });
  }
});
