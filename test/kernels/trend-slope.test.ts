import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { trendSlope } from "../../services/kernels/trend-slope.js";
import { anyArray, ascendingTimestamps, finiteArray, gaps } from "./arbitrary-values.js";
import { bitText, exact, magnitude, quotient } from "./exact-arithmetic.js";

const every5s = (count: number): Float64Array => ascendingTimestamps(count, 1_760_000_000_000, [5_000]);
const slopeOf = (...values: number[]): number =>
  trendSlope(every5s(values.length), Float64Array.from(values), 0, values.length);

describe("trend slope", () => {
  it("is per second", () => {
    assert.equal(slopeOf(1, 2, 3), 0.2);
    assert.equal(slopeOf(3, -7), -2);
    assert.equal(slopeOf(1, NaN, 3), 0.2);
    assert.equal(slopeOf(0, 1, 0), 0);
  });

  it("is the exact least-squares slope, to 1e-12 of the largest value a second of the window", () => {
    fc.assert(
      fc.property(finiteArray, gaps, (raw, someGaps) => {
        fc.pre(raw.length > 1);
        const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
        const actual = trendSlope(timestamps, Float64Array.from(raw), 0, raw.length);
        fc.pre(Math.abs(actual) < 1e307);
        const n = BigInt(raw.length);
        const x = Array.from(timestamps, (ms) => BigInt(ms - timestamps[0]));
        const y = raw.map(exact);
        const total = (terms: bigint[]) => terms.reduce((sum, term) => sum + term, 0n);
        const above = (n * total(x.map((dx, i) => dx * y[i])) - total(x) * total(y)) * 1000n;
        const below = n * total(x.map((dx) => dx * dx)) - total(x) ** 2n;
        const off = magnitude(exact(actual) * below - above);
        const largest = y.map(magnitude).reduce((most, size) => (size > most ? size : most), 0n);
        const size = (largest * 1000n * below) / x[x.length - 1];
        // What is off by less than the smallest double is off by rounding.
        assert.ok(off <= below || quotient(off, size > 0n ? size : 1n) < 1e-12, `${actual}`);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("of constants is exactly 0, and NaN of fewer than two values", () => {
    for (const value of [0, -0, 0.1, 1e300, 5e-324, -1e9])
      assert.ok(Object.is(slopeOf(value, value, NaN, value), 0));
    for (const few of [[], [1], [NaN, 1], [Infinity, 1, -Infinity]])
      assert.ok(Number.isNaN(slopeOf(...few)), few.join());
  });

  it("holds at the ends of the range of doubles", () => {
    assert.ok(Math.abs(slopeOf(1.7e308, -1.7e308) / -6.8e307 - 1) < 1e-14);
    assert.equal(slopeOf(0, 2 ** -1000 * 5, 2 ** -1000 * 10), 2 ** -1000);
  });

  it("follows a power of two, and turns with the sign, to the bit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 2 }),
        fc.constantFrom(2 ** 40, -(2 ** -40), -1),
        (values, factor) => {
          fc.pre(values.every((value) => value === 0 || Math.abs(value) > 1e-100));
          const expected = slopeOf(...values) * factor + 0;
          assert.equal(slopeOf(...values.map((value) => value * factor)), expected);
        },
      ),
      { seed: 2, numRuns: 500 },
    );
  });

  it("does not see the level, and adds the slope of a line that is added, within rounding", () => {
    const value = fc.double({ noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 100 }), value, (values, perSample) => {
        const moved = slopeOf(...values.map((y, i) => y + 1000 + perSample * i));
        assert.ok(Math.abs(moved - slopeOf(...values) - perSample / 5) < 1e-9);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it("depends on the finite values of the window only, and changes nothing", () => {
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, gaps, (before, window, after, someGaps) => {
        const values = Float64Array.from([...before, ...window, ...after]);
        const timestamps = ascendingTimestamps(values.length, 1_760_000_000_000, someGaps);
        const unchanged = bitText([...values, ...timestamps]);
        const [first, end] = [before.length, before.length + window.length];
        const within = trendSlope(timestamps, values, first, end);
        const alone = trendSlope(timestamps.slice(first, end), values.slice(first, end), 0, window.length);
        assert.equal(bitText([within]), bitText([alone]));
        const inside = (_: number, i: number) => i >= first && i < end && Number.isFinite(values[i]);
        const finite = values.filter(inside);
        const without = trendSlope(timestamps.filter(inside), finite, 0, finite.length);
        assert.equal(bitText([within]), bitText([without]));
        assert.equal(bitText([...values, ...timestamps]), unchanged);
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});
