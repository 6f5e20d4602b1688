import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { firstOfEpoch, newestDrift, pageHinkleyDefaults } from "../../services/kernels/page-hinkley.js";
import { anyArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const step = Float64Array.from({ length: 200 }, (_, i) => (i < 100 ? 1 : 9));

describe("the test of Page and Hinkley", () => {
  it("tells of a drift up and down, once, soon after it came", () => {
    for (const values of [step, step.map((value) => -value)]) {
      const at = newestDrift(pageHinkleyDefaults, values, 0, 200);
      assert.equal(at, 106);
      assert.equal(newestDrift(pageHinkleyDefaults, values, 0, at), -1);
      assert.equal(newestDrift(pageHinkleyDefaults, values, 0, at + 1), at);
    }
  });

  it("begins anew after a drift, and waits for its fewest samples", () => {
    const twice = Float64Array.from({ length: 300 }, (_, i) => [0, 8, 0][Math.floor(i / 100)]);
    assert.equal(newestDrift(pageHinkleyDefaults, twice, 0, 300), 206);
    const early = Float64Array.from({ length: 40 }, (_, i) => (i < 5 ? 0 : 100));
    assert.equal(newestDrift(pageHinkleyDefaults, early, 0, 29), -1);
    assert.equal(newestDrift(pageHinkleyDefaults, early, 0, 30), 29);
  });

  it("follows a scale of values, delta and threshold together", () => {
    const options = { ...pageHinkleyDefaults, delta: 0.005 * 1024, threshold: 50 * 1024 };
    const scaled = step.map((value) => value * 1024);
    assert.equal(newestDrift(options, scaled, 0, 200), newestDrift(pageHinkleyDefaults, step, 0, 200));
  });

  it("begins with the epoch of the clock, whatever is kept of the series", () => {
    const timestamps = Float64Array.of(1_000, 60_000, 60_001, 90_000, 120_000, 120_001);
    const begins = [1, 2, 3, 4, 5, 6].map((end) => firstOfEpoch(timestamps, 0, end, 60_000));
    assert.deepEqual(begins, [0, 0, 2, 2, 2, 5]);
    assert.equal(firstOfEpoch(timestamps, 3, 5, 60_000), 3);
  });

  it("depends on the samples since it began only, never throws, and changes nothing", () => {
    const options = { fewestSamples: 5, delta: 0.1, threshold: 10, alpha: 0.9999 };
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, (before, window, after) => {
        const values = Float64Array.from([...before, ...window, ...after]);
        const [first, end] = [before.length, before.length + window.length];
        const alone = newestDrift(options, Float64Array.from(window), 0, window.length);
        assert.equal(newestDrift(options, values, first, end), alone < 0 ? -1 : first + alone);
        assert.equal(bitText(values), bitText([...before, ...window, ...after]));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
