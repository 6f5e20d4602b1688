import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { momentum } from "../../services/kernels/momentum.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const minute = 60_000;

function moved(times: number[], values: number[], lagMs: number, toleranceMs: number): number[] {
  const out = Float64Array.of(-7, -7, -7, -7);
  momentum(Float64Array.from(times), Float64Array.from(values), 0, values.length, lagMs, toleranceMs, out, 1);
  assert.deepEqual([out[0], out[3]], [-7, -7], "wrote only its own columns");
  return [out[1], out[2]];
}

describe("momentum", () => {
  it("is absolute, and in per cent of where it came from", () => {
    assert.deepEqual(moved([0, 5 * minute], [80, 100], 5 * minute, 0), [20, 25]);
    assert.deepEqual(moved([0, 5 * minute], [-4, -3], 5 * minute, 0), [1, -25]);
  });

  it("takes the newest value not younger than the lag and not older than the tolerance more", () => {
    assert.deepEqual(moved([0, 1_000, 2_001, 7_000], [1, 2, 3, 10], 5_000, 1_000), [8, 400]);
    assert.deepEqual(moved([0, 2_001, 7_000], [1, 3, 10], 5_000, 2_000), [9, 900]);
    assert.deepEqual(moved([0, 2_001, 7_000], [1, 3, 10], 5_000, 1_999), [NaN, NaN]);
    assert.deepEqual(moved([0, 1_000, 2_000, 7_000], [1, NaN, Infinity, 10], 5_000, 2_000), [9, 900]);
  });

  it("has no share of 0, and nothing of what is not finite", () => {
    assert.deepEqual(moved([0, 1_000], [0, 3], 1_000, 0), [3, NaN]);
    assert.deepEqual(moved([0, 1_000], [-0, 3], 1_000, 0), [3, NaN]);
    for (const newest of [NaN, Infinity, -Infinity])
      assert.deepEqual(moved([0, 1_000], [1, newest], 1_000, 0), [NaN, NaN]);
    assert.deepEqual(moved([], [], 1_000, 0), [NaN, NaN]);
    assert.deepEqual(moved([5], [1], 1_000, 0), [NaN, NaN]);
  });

  it("depends on what lies in lag and tolerance only, and changes nothing", () => {
    fc.assert(
      fc.property(
        anyArray,
        gaps,
        fc.integer({ min: 1, max: 600_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        (raw, someGaps, lagMs, toleranceMs) => {
          fc.pre(raw.length > 0);
          const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
          const values = Float64Array.from(raw);
          const newestMs = timestamps[raw.length - 1];
          const kept = timestamps.findIndex((ms) => ms >= newestMs - lagMs - toleranceMs);
          const out = new Float64Array(4);
          momentum(timestamps, values, 0, raw.length, lagMs, toleranceMs, out, 0);
          momentum(timestamps, values, kept, raw.length, lagMs, toleranceMs, out, 2);
          assert.equal(bitText(out.subarray(0, 2)), bitText(out.subarray(2)));
          assert.equal(bitText(values), bitText(raw));
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});
