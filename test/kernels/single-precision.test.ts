import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lastRoundedUpTo } from "../../services/kernels/single-precision.js";

const bits = new DataView(new ArrayBuffer(8));

/** The double so many steps after `x`, before it where negative. */
function stepped(x: number, steps: bigint): number {
  bits.setFloat64(0, x + 0);
  const word = bits.getBigInt64(0);
  const ordinal = (word < 0n ? -(word & 0x7fffffffffffffffn) : word) + steps;
  bits.setBigInt64(0, ordinal < 0n ? -ordinal | (1n << 63n) : ordinal);
  return bits.getFloat64(0);
}

describe("the last double that is rounded up to a threshold", () => {
  const threshold = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: -100, max: 100, noNaN: true }),
    fc.double({ min: -1e-40, max: 1e-40, noNaN: true }),
    fc.constantFrom(
      0,
      -0,
      2 ** 128,
      -(2 ** 128),
      3.4028234663852886e38,
      -3.4028234663852886e38,
      2 ** -149,
      5e-324,
    ),
  );

  it("is the border between those that are not above it once rounded, and those that are", () => {
    fc.assert(
      fc.property(threshold, (t) => {
        const last = lastRoundedUpTo(t);
        assert.ok(Math.fround(last) <= t, `${last} → ${Math.fround(last)}`);
        const next = stepped(last, 1n);
        assert.ok(!(Math.fround(next) <= t) || next === Infinity, `${next} → ${Math.fround(next)}`);
      }),
      { seed: 1, numRuns: 5000 },
    );
  });
});
