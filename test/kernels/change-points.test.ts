import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  changePenalty,
  changePoints,
  openChangePointScratch,
  secondsSinceChange,
} from "../../services/kernels/change-points.js";
import { openPeltScratch, pelt } from "../../services/kernels/pelt.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

function pointsOf(values: number[], penalty: number): number[] {
  const out = new Int32Array(values.length);
  return [
    ...out.subarray(0, pelt(openPeltScratch(), Float64Array.from(values), 0, values.length, penalty, out)),
  ];
}

function pointsAt(values: Float64Array, first: number, end: number, sensitivity: number): Int32Array {
  const out = new Int32Array(values.length);
  return out.subarray(0, changePoints(openChangePointScratch(), values, first, end, sensitivity, out));
}

const noisy = (seed: number, level: (i: number) => number): Float64Array => {
  const random = randomStream(seed, "noise", 0);
  return Float64Array.from({ length: 200 }, (_, i) => level(i) + normal(random));
};

describe("change points", () => {
  it("are where a segment begins", () => {
    assert.deepEqual(pointsOf([0, 0, 0, 9, 9, 9], 1), [3]);
    assert.deepEqual(pointsOf([0, 0, 0, 9, 9, NaN, 9, -5, Infinity, -5], 1), [3, 7]);
    // A segment has two values at least, so the level of a single one cannot be its own.
    assert.deepEqual(pointsOf([0, 0, 0, 0, 0, 9], 1), [4]);
    assert.deepEqual(pointsOf([0, 0, 9, 9], 81), []);
    assert.deepEqual(pointsOf([0, 0, 9, 9], 80.999), [2]);
  });

  it("are none of few values, of constants, at an infinite penalty", () => {
    for (const values of [[], [1], [1, 2], [1, 1, 9], [NaN, 1, NaN, 9, 9]])
      assert.deepEqual(pointsOf(values, 0.01), []);
    assert.deepEqual(pointsOf([0.1, 0.1, 0.1, NaN, 0.1, 0.1], 0), []);
    assert.deepEqual(pointsOf([1, 1, 9, 9], Infinity), []);
  });

  it("are found at a change of four deviations, hardly one in noise, and fewer at less sensitivity", () => {
    let others = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const step = noisy(seed, (i) => (i < 120 ? 0 : 4));
      const found = pointsAt(step, 0, 200, 1);
      assert.ok(
        found.some((point) => Math.abs(point - 120) <= 1),
        `seed ${seed}: ${found.join()}`,
      );
      others += found.length - 1;
      others += pointsAt(
        noisy(seed, () => 7),
        0,
        200,
        1,
      ).length;
      assert.equal(pointsAt(step, 0, 200, 0.001).length, 0);
      assert.ok(pointsAt(step, 0, 200, 20).length > found.length);
    }
    assert.ok(others <= 4, `${others} in 40 series`);
  });

  it("are those of the values' shape, whatever their power of two and sign", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 80 }),
        fc.constantFrom(2 ** 900, 2 ** -1000, 2 ** 450, 2 ** -450, -1),
        (values, factor) => {
          const window = Float64Array.from(values);
          const scaled = window.map((value) => value * factor);
          assert.deepEqual(pointsAt(scaled, 0, values.length, 1), pointsAt(window, 0, values.length, 1));
        },
      ),
      { seed: 2, numRuns: 500 },
    );
  });

  it("have a penalty of the noise beside a change, and of the mean step where most are 0", () => {
    const scratch = openChangePointScratch();
    const penalty = (...values: number[]) =>
      changePenalty(scratch, Float64Array.from(values), 0, values.length, 2);
    const sigma = 1 / 0.9538725524089398;
    assert.ok(Math.abs(penalty(0, 1, 0, 1, 101, 100, 101) / (sigma ** 2 * Math.log(7)) - 1) < 1e-14);
    assert.ok(Math.abs(penalty(0, 0, 0, 0, 8) / (Math.PI * Math.log(5)) - 1) < 1e-14);
    assert.equal(penalty(0, 0, 0, 0), 0);
  });

  it("are as old as the level of the newest sample", () => {
    const timestamps = ascendingTimestamps(200, 1_760_000_000_000, [5_000]);
    const scratch = openChangePointScratch();
    const age = (values: Float64Array, end = values.length) =>
      secondsSinceChange(scratch, timestamps, values, 0, end, 3_600_000, 1);
    const change = timestamps.map((_, i) => (i < 150 ? 1 : 5));
    assert.equal(age(change), 49 * 5);
    assert.equal(age(change, 152), 5);
    // One sample is no segment: the change seems to be one earlier.
    assert.equal(age(change, 151), 5);
    assert.equal(age(change, 150), 3600);
    assert.equal(age(change, 4), 3600);
    assert.ok(Number.isNaN(age(change, 3)));
    assert.ok(Number.isNaN(age(change, 0)));
  });

  it("depend on the window's contents only, with a scratch of whatever past, and change nothing", () => {
    const used = openChangePointScratch();
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, gaps, (before, window, after, someGaps) => {
        const values = Float64Array.from([...before, ...window, ...after]);
        const timestamps = ascendingTimestamps(values.length, 1_760_000_000_000, someGaps);
        const [first, end] = [before.length, before.length + window.length];
        const alone = pointsAt(Float64Array.from(window), 0, window.length, 1);
        assert.deepEqual(
          pointsAt(values, first, end, 1).map((point) => point - first),
          alone,
        );
        const out = new Int32Array(values.length);
        const count = changePoints(used, values, first, end, 1, out);
        assert.deepEqual(
          out.subarray(0, count).map((point) => point - first),
          alone,
        );
        const age = secondsSinceChange(used, timestamps, values, first, end, 3_600_000, 1);
        const fresh = openChangePointScratch();
        const [t, v] = [timestamps.slice(first, end), values.slice(first, end)];
        assert.equal(bitText([age]), bitText([secondsSinceChange(fresh, t, v, 0, v.length, 3_600_000, 1)]));
        assert.equal(bitText(values), bitText([...before, ...window, ...after]));
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
