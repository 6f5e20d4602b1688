import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fractionOf, percentileOfSorted } from "../../services/kernels/percentile.js";
import {
  forgetRollingState,
  openRollingState,
  rollingFeatures,
  rollingWidth,
  type RollingPlan,
} from "../../services/kernels/rolling-features.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { anyArray, ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";
import { momentsAlone } from "./moments-alone.js";

const minute = 60_000;
const defaults: RollingPlan = {
  windowsMs: [5 * minute, 15 * minute, 60 * minute],
  mean: true,
  standardDeviation: true,
  fractions: [25, 50, 75, 95, 99].map(fractionOf),
};

/** Each window cut out by a filter, each statistic by its own kernel. */
function reference(plan: RollingPlan, timestamps: Float64Array, values: Float64Array, row: number): number[] {
  const cutOut = (windowMs: number) => {
    const isInside = (i: number) => i <= row && timestamps[i] > timestamps[row] - windowMs;
    return [timestamps, values].map((column) => column.filter((_, i) => isInside(i)));
  };
  const statistics = plan.windowsMs.flatMap((windowMs) => {
    const [times, inside] = cutOut(windowMs);
    const sorted = new Float64Array(inside.length);
    const end = sortInto(sorted, 0, inside, 0, inside.length);
    const { mean, deviation } = momentsAlone(times, inside, windowMs);
    return [
      ...(plan.mean ? [mean] : []),
      ...(plan.standardDeviation ? [deviation] : []),
      ...plan.fractions.map((at) => percentileOfSorted(sorted, 0, end, at)),
    ];
  });
  const slopes = (plan.slopeWindowsMs ?? []).map((windowMs) => {
    const [times, inside] = cutOut(windowMs);
    return momentsAlone(times, inside, windowMs).slope;
  });
  return [...statistics, ...slopes];
}

function row(
  plan: RollingPlan,
  state: ReturnType<typeof openRollingState>,
  t: Float64Array,
  v: Float64Array,
  i: number,
) {
  const out = new Float64Array(rollingWidth(plan) + 2).fill(-7);
  rollingFeatures(plan, state, t, v, 0, i + 1, out, 1);
  assert.deepEqual([out[0], out[out.length - 1]], [-7, -7], "wrote only its own columns");
  return out.slice(1, -1);
}

const plan = fc.record({
  windowsMs: fc.constantFrom(
    defaults.windowsMs,
    [60 * minute, 5 * minute],
    [1],
    [30_000, 90_000],
    [2 * minute],
  ),
  slopeWindowsMs: fc.constantFrom([], [60 * minute], [90_000, minute, 5 * minute]),
  mean: fc.boolean(),
  standardDeviation: fc.boolean(),
  fractions: fc.constantFrom(defaults.fractions, [], [0.5]),
});
const longArray = fc.tuple(anyArray, anyArray, anyArray).map((parts) => parts.flat());

describe("rolling features", () => {
  it("writes the columns of the defaults in the order of their names", () => {
    const timestamps = ascendingTimestamps(721, 0, [5_000]);
    const values = timestamps.map((_, i) => i);
    const features = row(defaults, openRollingState(defaults), timestamps, values, 720);
    assert.equal(features.length, 21);
    // The last 60, 180 and 720 of 0 … 720: mean and median agree, quartiles lie half way.
    assert.deepEqual(
      [...features.subarray(0, 5)].map((x) => x.toFixed(4)),
      ["690.5000", "17.4642", "675.7500", "690.5000", "705.2500"],
    );
    assert.equal(features[7], 630.5);
    assert.equal(features[14], 360.5);
    assert.equal(features[20], 1 + 0.99 * 719);
  });

  it("equals each window and statistic by itself, to the bit, on every row", () => {
    fc.assert(
      fc.property(longArray, gaps, plan, (raw, someGaps, somePlan) => {
        const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
        const values = Float64Array.from(raw);
        const state = openRollingState(somePlan);
        for (let i = 0; i < raw.length; i++) {
          const features = row(somePlan, state, timestamps, values, i);
          assert.equal(bitText(features), bitText(reference(somePlan, timestamps, values, i)));
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("is the same from whatever start, across restarts and with the samples before the window gone", () => {
    fc.assert(
      fc.property(
        longArray,
        gaps,
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.nat(),
        (raw, someGaps, restarts, which) => {
          fc.pre(raw.length > 0);
          const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
          const values = Float64Array.from(raw);
          let state = openRollingState(defaults);
          const start = which % raw.length;
          for (let i = start; i < raw.length; i++) {
            if (restarts.some((restart) => restart % raw.length === i)) state = openRollingState(defaults);
            const kept = timestamps.filter((timestamp) => timestamp <= timestamps[i] - 60 * minute).length;
            const features = new Float64Array(21);
            // A ring that has dropped what left the largest window: other indices, same samples.
            rollingFeatures(
              defaults,
              state,
              timestamps.slice(kept),
              values.slice(kept),
              0,
              i + 1 - kept,
              features,
              0,
            );
            assert.equal(
              bitText(features),
              bitText(row(defaults, openRollingState(defaults), timestamps, values, i)),
            );
          }
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  it("follows a change in place after it was told", () => {
    const timestamps = ascendingTimestamps(3, 0, [5_000]);
    const values = Float64Array.of(1, 2, 3);
    const state = openRollingState(defaults);
    row(defaults, state, timestamps, values, 2);
    values[1] = 8;
    forgetRollingState(state);
    assert.equal(
      bitText(row(defaults, state, timestamps, values, 2)),
      bitText(reference(defaults, timestamps, values, 2)),
    );
  });
});
