import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { isOutside } from "../../../services/kernels/validate/range.js";

it("a value on a bound is inside, unless the range is exclusive", () => {
  assert.ok(!isOutside(0, 0, 100, false));
  assert.ok(!isOutside(100, 0, 100, false));
  assert.ok(isOutside(100.000_000_1, 0, 100, false));
  assert.ok(isOutside(-5e-324, 0, 100, false));
  assert.ok(isOutside(0, 0, Infinity, true));
  assert.ok(isOutside(-0, 0, Infinity, true));
  assert.ok(!isOutside(5e-324, 0, Infinity, true));
  assert.ok(!isOutside(1e308, 0, Infinity, true));
});

it("what is no value breaks no range", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    assert.ok(!isOutside(value, 0, 1, false));
    assert.ok(!isOutside(value, 0, 1, true));
  }
});

it("a wider range breaks no more values, and an exclusive one no fewer", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(finite, finite, finite, finite, fc.boolean(), (value, a, b, c, isExclusive) => {
      const [low, middle, high] = [a, b, c].sort((x, y) => x - y);
      if (isOutside(value, low, high, isExclusive)) assert.ok(isOutside(value, low, middle, isExclusive));
      if (isOutside(value, low, high, false)) assert.ok(isOutside(value, low, high, true));
      assert.equal(isOutside(value, low, high, false), !(value >= low && value <= high));
    }),
    { seed: 1 },
  );
});
