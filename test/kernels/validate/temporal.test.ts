import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  markTemporalFaults,
  temporalFaultBits,
  temporalFaults,
} from "../../../services/kernels/validate/temporal.js";

const limits = { futureMsMax: 1_000, gapMsMax: 15_000, lookbackMs: 60_000 };
const { not_increasing, in_future, after_gap } = temporalFaultBits;

describe("the time of a sample", () => {
  it("increases, is not in the future, and follows the sample before within the limit", () => {
    assert.equal(temporalFaults(5_000, 0, 5_000, limits), 0);
    assert.equal(temporalFaults(5_000, 5_000, 5_000, limits), not_increasing);
    assert.equal(temporalFaults(5_000, 9_000, 5_000, limits), not_increasing);
    assert.equal(temporalFaults(6_000, 0, 5_000, limits), 0);
    assert.equal(temporalFaults(6_001, 0, 5_000, limits), in_future);
    assert.equal(temporalFaults(15_000, 0, 20_000, limits), 0);
    assert.equal(temporalFaults(15_001, 0, 20_000, limits), after_gap);
    assert.equal(temporalFaults(50_000, 0, 20_000, limits), in_future | after_gap);
  });

  it("has no sample before where the silence was as long as the lookback", () => {
    assert.equal(temporalFaults(59_999, 0, 60_000, limits), after_gap);
    assert.equal(temporalFaults(60_000, 0, 60_000, limits), 0);
    assert.equal(temporalFaults(60_000, -Infinity, 60_000, limits), 0);
    assert.equal(temporalFaults(60_000, NaN, 60_000, limits), 0);
  });

  it("is judged by no limit that is not there", () => {
    const none = { futureMsMax: Infinity, gapMsMax: Infinity, lookbackMs: Infinity };
    assert.equal(temporalFaults(1e15, 0, 0, none), 0);
    assert.equal(temporalFaults(1e15, 0, NaN, limits), 0);
    assert.equal(temporalFaults(NaN, 0, 0, limits), 0);
  });
});

describe("the times of a series as they came", () => {
  const mark = (timestamps: readonly number[], readAt: number) => {
    const out = new Uint8Array(timestamps.length + 1).fill(99);
    const ingestedAt = new Float64Array(timestamps.length).fill(readAt);
    markTemporalFaults(Float64Array.from(timestamps), ingestedAt, 0, timestamps.length, limits, out, 1);
    assert.equal(out[0], 99);
    return [...out.subarray(1)];
  };

  it("a late sample, or one of the future, makes none after it late", () => {
    assert.deepEqual(mark([10, 5, 11], 20), [0, not_increasing, 0]);
    assert.deepEqual(mark([10, 99_999, 11], 20), [0, in_future, 0]);
    assert.deepEqual(mark([], 0), []);
  });

  it("any times are judged, inputs stay as they are, and ascending ones within the limits have no fault", () => {
    const time = fc.oneof(
      fc.integer({ min: 0, max: 100_000 }),
      fc.constantFrom(NaN, Infinity, -Infinity, 1e300),
    );
    fc.assert(
      fc.property(fc.array(time, { maxLength: 30 }), (times) => {
        const faults = mark(times, 50_000);
        faults.forEach((bits, i) =>
          assert.equal((bits & in_future) !== 0, times[i] !== Infinity && times[i] > 51_000),
        );
        const near = times.filter((at) => at <= 51_000 && at >= 0).sort((a, b) => a - b);
        const distinct = [...new Set(near)];
        const silences = mark(distinct, 50_000).map((bits, i) => {
          const since = i === 0 ? 0 : distinct[i] - distinct[i - 1];
          return bits === (since > 15_000 && since < 60_000 ? after_gap : 0);
        });
        assert.ok(silences.every((isRight) => isRight));
      }),
      { seed: 1 },
    );
  });
});
