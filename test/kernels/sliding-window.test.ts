import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  forget,
  openSlidingWindow,
  slide,
  type SlidingWindow,
} from "../../services/kernels/sliding-window.js";
import { emptySortedWindow, rebuild } from "../../services/kernels/sorted-window.js";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

function slideTo(
  window: SlidingWindow,
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  atMs: number,
) {
  const end = firstAfter(timestamps, oldest, timestamps.length, atMs);
  const first = firstAfter(timestamps, oldest, end, atMs - window.windowMs);
  slide(window, timestamps, values, oldest, first, end, atMs);
  const fresh = emptySortedWindow();
  rebuild(fresh, values, first, end);
  assert.equal(
    bitText(window.sorted.subarray(0, window.length)),
    bitText(fresh.sorted.subarray(0, fresh.length)),
  );
}

const windowMs = fc.constantFrom(1, 5_000, 60_000, 300_000, 3_600_000);
const longArray = fc.tuple(anyArray, anyArray, anyArray).map((parts) => parts.flat());

describe("sliding window", () => {
  it("equals sorting afresh at every row, wherever the visits start and whichever they leave out or go back to", () => {
    fc.assert(
      fc.property(
        longArray,
        gaps,
        windowMs,
        fc.array(fc.integer({ min: -3, max: 6 }), { minLength: 1, maxLength: 60 }),
        (raw, someGaps, width, strides) => {
          fc.pre(raw.length > 0);
          const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
          const values = Float64Array.from(raw);
          const window = openSlidingWindow(width);
          let row = 0;
          for (const stride of strides) {
            row = (row + Math.sign(stride) * (Math.abs(stride) % 4) + raw.length) % raw.length;
            slideTo(window, timestamps, values, 0, timestamps[row]);
          }
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("notices late samples and dropped ones by itself", () => {
    fc.assert(
      fc.property(
        longArray,
        gaps,
        windowMs,
        fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 6 }),
        (raw, someGaps, width, changes) => {
          fc.pre(raw.length > 3);
          const timestamps = [...ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps)];
          const values = [...raw];
          const late = timestamps.map((timestamp, i) => [timestamp, values[i]]).filter((_, i) => i % 5 === 2);
          for (const [timestamp] of late) {
            const index = timestamps.indexOf(timestamp);
            timestamps.splice(index, 1);
            values.splice(index, 1);
          }
          const window = openSlidingWindow(width);
          let row = 0;
          for (const [isLate, which] of [...changes, ...changes]) {
            row = Math.min(row + 1 + (which % 3), timestamps.length - 1);
            const atMs = timestamps[row];
            if (isLate && late.length > 0) {
              const [[timestamp, value]] = late.splice(which % late.length, 1);
              const index = timestamps.filter((other) => other < timestamp).length;
              timestamps.splice(index, 0, timestamp);
              values.splice(index, 0, value);
            }
            const oldest = isLate ? 0 : which % (row + 1);
            slideTo(window, Float64Array.from(timestamps), Float64Array.from(values), oldest, atMs);
          }
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
  });

  it("is rebuilt after forget, when a value changed in its place", () => {
    const timestamps = Float64Array.of(0, 5_000, 10_000);
    const values = Float64Array.of(1, 2, 3);
    const window = openSlidingWindow(60_000);
    slideTo(window, timestamps, values, 0, 5_000);
    values[0] = 9;
    forget(window);
    slideTo(window, timestamps, values, 0, 10_000);
  });
});
