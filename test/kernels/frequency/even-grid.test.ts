import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { onEvenGrid } from "../../../services/kernels/frequency/even-grid.js";

const INTERVAL_MS = 10;
const AGE_MS = 15;

/** Samples with their distances in time from each other; some are not finite. */
const samples = fc.array(
  fc.record({
    distance: fc.integer({ min: 1, max: 14 }),
    value: fc.oneof({ weight: 9, arbitrary: fc.integer() }, fc.constantFrom(NaN, Infinity, -Infinity)),
  }),
  { minLength: 1, maxLength: 40 },
);

function columnsOf(made: readonly { distance: number; value: number }[]) {
  let ms = 1000;
  return {
    timestamps: Float64Array.from(made, ({ distance }) => (ms += distance)),
    values: Float64Array.from(made, ({ value }) => value),
  };
}

describe("values at even times", () => {
  it("are the newest finite ones at or before multiples of the interval, and said to be full where each has one", () => {
    let full = 0;
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 6 }), (made, count) => {
        const { timestamps, values } = columnsOf(made);
        const last = Math.floor(timestamps[made.length - 1] / INTERVAL_MS) * INTERVAL_MS;
        const expected = Array.from({ length: count }, (_, k) => {
          const ms = last - (count - 1 - k) * INTERVAL_MS;
          const isSeen = (time: number, i: number) =>
            time <= ms && time >= ms - AGE_MS && Number.isFinite(values[i]);
          return timestamps.findLastIndex(isSeen);
        });
        const out = new Int32Array(count);
        const isFull = onEvenGrid(timestamps, values, 0, made.length, INTERVAL_MS, count, AGE_MS, out);
        assert.deepEqual([...out], expected);
        assert.equal(isFull, !expected.includes(-1));
        full += Number(isFull);
      }),
      { seed: 1, numRuns: 500 },
    );
    assert.ok(full > 100, `${full} of 500`);
  });

  it("are the same from wherever the samples begin that may count", () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 6 }), (made, count) => {
        const { timestamps, values } = columnsOf(made);
        const oldest = timestamps[made.length - 1] - count * INTERVAL_MS - AGE_MS;
        const from = timestamps.findIndex((time) => time > oldest);
        const run = (first: number) => {
          const out = new Int32Array(count);
          onEvenGrid(timestamps, values, first, made.length, INTERVAL_MS, count, AGE_MS, out);
          return [...out];
        };
        assert.deepEqual(run(from), run(0));
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
