import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { meanAndStandardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { trendSlope } from "../../services/kernels/trend-slope.js";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import {
  type WindowSums,
  countCell,
  openWindowSums,
  sumCells,
  sumWindows,
  xCell,
} from "../../services/kernels/window-sums.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";
import { momentsAlone } from "./moments-alone.js";

const startMs = 1_760_000_000_000;
const longArray = fc.tuple(anyArray, anyArray, anyArray).map((parts) => parts.flat());

function sumsOf(
  state: WindowSums,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
) {
  const out = new Float64Array(state.windowsMs.length * sumCells);
  sumWindows(state, timestamps, values, first, end, out);
  return out;
}

describe("sums of windows", () => {
  it("count what is finite, and add up times from the beginning of the row's minute", () => {
    const timestamps = ascendingTimestamps(100, startMs, [7_000]);
    const values = timestamps.map((_, i) => (i % 10 === 0 ? NaN : i));
    const sums = sumsOf(openWindowSums([300_000, 3_600_000], true), timestamps, values, 0, 100);
    // Of the last 300 s there are 43 samples, four of which are no numbers; of all there are ten.
    assert.equal(sums[countCell], 39);
    assert.equal(sums[sumCells + countCell], 90);
    const times = [...values.keys()]
      .filter((i) => i % 10 !== 0)
      .map((i) => timestamps[i] - Math.floor(timestamps[99] / 60_000) * 60_000);
    assert.equal(
      sums[sumCells + xCell],
      times.reduce((total, ms) => total + ms, 0),
    );
  });

  it("notice samples that came late, were dropped, or taken out, by their number", () => {
    fc.assert(
      fc.property(longArray, gaps, fc.nat(), fc.nat(), fc.boolean(), (raw, someGaps, row, change, isLate) => {
        fc.pre(raw.length > 2);
        const timestamps = ascendingTimestamps(raw.length, startMs, someGaps);
        const values = Float64Array.from(raw);
        const state = openWindowSums([60_000, 240_000, 3_600_000], true);
        const at = change % raw.length;
        const without = (column: Float64Array) => column.filter((_, i) => i !== at);
        const fewer = [without(timestamps), without(values)];
        const [before, after] = isLate ? [fewer, [timestamps, values]] : [[timestamps, values], fewer];
        const rowOf = ([column]: Float64Array[]) => 1 + (row % column.length);
        sumsOf(state, before[0], before[1], 0, rowOf(before));
        const found = sumsOf(state, after[0], after[1], 0, rowOf(after));
        const fresh = sumsOf(openWindowSums(state.windowsMs, true), after[0], after[1], 0, rowOf(after));
        assert.equal(bitText(found), bitText(fresh));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("give the moments and the slope of two passes but for their last bits", () => {
    const value = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(1e9, NaN),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), gaps, (raw, someGaps) => {
        const timestamps = ascendingTimestamps(raw.length, startMs, someGaps);
        const values = Float64Array.from(raw);
        for (const windowMs of [90_000, 600_000]) {
          const first = firstAfter(timestamps, 0, raw.length, timestamps[raw.length - 1] - windowMs);
          const [times, inside] = [timestamps.slice(first), values.slice(first)];
          const both = new Float64Array(2);
          meanAndStandardDeviation(inside, 0, inside.length, both, 0);
          const slope = trendSlope(times, inside, 0, inside.length);
          const found = momentsAlone(times, inside, windowMs);
          const size = inside.reduce((most, x) => Math.max(most, Math.abs(x) || 0), 0);
          isNear(found.mean, both[0], size);
          isNear(found.deviation, both[1], size);
          isNear(
            found.slope,
            slope,
            size / (times.length > 1 ? (times[times.length - 1] - times[0]) / 1000 : 1),
          );
        }
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it("are exact of constants", () => {
    for (const value of [0, -0, 0.1, 1e300, 5e-324]) {
      const timestamps = ascendingTimestamps(500, startMs, [5_000]);
      const { mean, deviation, slope } = momentsAlone(
        timestamps,
        new Float64Array(500).fill(value),
        2_500_000,
      );
      assert.deepEqual([mean, deviation, slope], [value + 0, 0, 0]);
    }
  });
});

function isNear(actual: number, expected: number, size: number): void {
  const isSame = Object.is(actual, expected) || Math.abs(actual - expected) <= 1e-12 * size;
  assert.ok(isSame, `${actual} instead of ${expected}, among values up to ${size}`);
}
