import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { deriv } from "../../services/kernels/deriv.js";
import { trendSlope } from "../../services/kernels/trend-slope.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const derivOf = (...values: number[]): number =>
  deriv(
    ascendingTimestamps(values.length, 1_760_000_000_000, [5_000]),
    Float64Array.from(values),
    null,
    0,
    values.length,
  );

describe("deriv", () => {
  it("is the slope per second, of two samples at least", () => {
    assert.equal(derivOf(1, 2, 3), 0.2);
    assert.equal(derivOf(NaN, 3, NaN, -7, NaN), -1);
    for (const few of [[], [1], [NaN, 1]]) assert.ok(Number.isNaN(derivOf(...few)));
  });

  it("is exactly 0 of constants, and NaN of what is not finite", () => {
    assert.equal(derivOf(0.1, 0.1, 0.1), 0);
    assert.ok(Number.isNaN(derivOf(Infinity, Infinity)));
    assert.ok(Number.isNaN(derivOf(1, Infinity, 3)));
    const timestamps = ascendingTimestamps(3, 0, [5_000]);
    assert.ok(Number.isNaN(deriv(timestamps, Float64Array.of(1, NaN, 3), new Uint8Array(3), 0, 3)));
    assert.equal(deriv(timestamps, Float64Array.of(1, 7, 3), Uint8Array.of(0, 1, 0), 0, 3), 0.2);
  });

  it("is the trend slope where the level does not drown it", () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 100 }), gaps, (raw, someGaps) => {
        const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
        const values = Float64Array.from(raw);
        const seconds = (timestamps[raw.length - 1] - timestamps[0]) / 1000;
        const off =
          deriv(timestamps, values, null, 0, raw.length) - trendSlope(timestamps, values, 0, raw.length);
        assert.ok(Math.abs(off) <= (1e-11 * 100) / seconds);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("depends on the window's contents only, never throws, and changes nothing", () => {
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, gaps, (before, window, after, someGaps) => {
        const values = Float64Array.from([...before, ...window, ...after]);
        const timestamps = ascendingTimestamps(values.length, 1_760_000_000_000, someGaps);
        const [first, end] = [before.length, before.length + window.length];
        const within = deriv(timestamps, values, null, first, end);
        const alone = deriv(timestamps.slice(first, end), values.slice(first, end), null, 0, window.length);
        assert.equal(bitText([within]), bitText([alone]));
        assert.equal(bitText(values), bitText([...before, ...window, ...after]));
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
