import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PEAK_RATE, requestRate, smoothNoise } from "../../services/simulator/load.js";

const MIDNIGHT = 1_760_054_400;
const day = (seed: number) =>
  Array.from({ length: 1440 }, (_, minute) => requestRate(seed, MIDNIGHT + 60 * minute));
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("requestRate", () => {
  it("is a function of seed and time", () => {
    assert.deepEqual(day(1), day(1));
    assert.notDeepEqual(day(1), day(2));
  });

  it("stays between 0 and the peak", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const rates = day(seed);
      assert.ok(Math.min(...rates) > 1);
      assert.ok(Math.max(...rates) < PEAK_RATE);
    }
  });

  it("is more than twice as high in the afternoon as in the night, and 20 a second on average", () => {
    const rates = day(3);
    const hours = (from: number, to: number) => average(rates.slice(60 * from, 60 * to));
    assert.ok(hours(13, 17) > 2 * hours(1, 5));
    assert.ok(Math.abs(average(rates) - 20) < 1);
  });

  it("never jumps", () => {
    for (let second = MIDNIGHT; second < MIDNIGHT + 3600; second += 1) {
      assert.ok(Math.abs(requestRate(1, second + 1) - requestRate(1, second)) < 0.2);
    }
  });
});

describe("smoothNoise", () => {
  it("uses its whole range", () => {
    const values = Array.from({ length: 5000 }, (_, i) => smoothNoise(1, "x", MIDNIGHT + i, 10));
    assert.ok(Math.max(...values) <= 1 && Math.max(...values) > 0.9);
    assert.ok(Math.min(...values) >= -1 && Math.min(...values) < -0.9);
  });
});
