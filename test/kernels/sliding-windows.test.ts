import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  endOf,
  forget,
  openSlidingWindows,
  samplesOf,
  slide,
  startOf,
  type SlidingWindows,
} from "../../services/kernels/sliding-windows.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

/** Slides to the row, and checks every window against sorting it afresh. */
function check(
  windows: SlidingWindows,
  widthsMs: number[],
  timestamps: Float64Array,
  values: Float64Array,
  oldest: number,
  row: number,
): void {
  const unchanged = bitText(values);
  slide(windows, widthsMs, timestamps, values, oldest, row + 1);
  for (const [w, widthMs] of widthsMs.entries()) {
    const inside = values.filter(
      (_, i) => i >= oldest && i <= row && timestamps[i] > timestamps[row] - widthMs,
    );
    const fresh = new Float64Array(inside.length);
    const freshEnd = sortInto(fresh, 0, inside, 0, inside.length);
    assert.equal(samplesOf(windows, w), inside.length);
    assert.equal(
      bitText(windows.cells.subarray(startOf(windows, w), endOf(windows, w))),
      bitText(fresh.subarray(0, freshEnd)),
    );
  }
  assert.equal(bitText(values), unchanged);
}

const someWidthsMs = fc.array(fc.constantFrom(1, 5_000, 60_000, 300_000, 3_600_000), { maxLength: 4 });
const longArray = fc.tuple(anyArray, anyArray, anyArray).map((parts) => parts.flat());

describe("sliding windows", () => {
  it("equal sorting afresh at every row, whichever rows are left out or gone back to", () => {
    fc.assert(
      fc.property(
        longArray,
        gaps,
        someWidthsMs,
        fc.array(fc.integer({ min: -2, max: 6 }), { minLength: 1, maxLength: 60 }),
        (raw, someGaps, widthsMs, strides) => {
          fc.pre(raw.length > 0);
          const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
          const values = Float64Array.from(raw);
          const windows = openSlidingWindows(widthsMs.length);
          let row = 0;
          for (const stride of strides) {
            row = (row + (stride > 3 ? 1 : stride) + 2 * raw.length) % raw.length;
            check(windows, widthsMs, timestamps, values, 0, row);
          }
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("notice late samples and dropped ones by themselves", () => {
    fc.assert(
      fc.property(
        longArray,
        gaps,
        someWidthsMs,
        fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 12 }),
        (raw, someGaps, widthsMs, changes) => {
          fc.pre(raw.length > 3);
          const all = [...ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps)].map(
            (timestamp, i) => [timestamp, raw[i]] as const,
          );
          const late = all.filter((_, i) => i % 5 === 2);
          let present = all.filter((_, i) => i % 5 !== 2);
          const windows = openSlidingWindows(widthsMs.length);
          let row = 0;
          for (const [isLate, which] of changes) {
            const [atMs] = present[Math.min(row + 1 + (which % 3), present.length - 1)];
            if (isLate && late.length > 0) {
              present = [...present, ...late.splice(which % late.length, 1)].sort(([a], [b]) => a - b);
            }
            row = present.findIndex(([timestamp]) => timestamp === atMs);
            const timestamps = Float64Array.from(present, ([timestamp]) => timestamp);
            const values = Float64Array.from(present, ([, value]) => value);
            check(windows, widthsMs, timestamps, values, isLate ? 0 : which % (row + 1), row);
          }
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
  });

  it("are rebuilt after forget, when a value changed in its place", () => {
    const timestamps = Float64Array.of(0, 5_000, 10_000);
    const values = Float64Array.of(1, 2, 3);
    const windows = openSlidingWindows(1);
    check(windows, [60_000], timestamps, values, 0, 1);
    values[0] = 9;
    forget(windows);
    check(windows, [60_000], timestamps, values, 0, 2);
  });

  it("take no more memory than twice their largest contents", () => {
    const timestamps = ascendingTimestamps(5_000, 0, [5_000]);
    const values = timestamps.map((timestamp) => Math.sin(timestamp));
    const windows = openSlidingWindows(3);
    for (let row = 0; row < 5_000; row++) {
      slide(windows, [300_000, 900_000, 3_600_000], timestamps, values, Math.max(0, row - 900), row + 1);
    }
    assert.equal(windows.cells.length, 1 + 3 * 4 + 64 + 256 + 1024);
  });
});
