import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { logarithm } from "../../../services/kernels/frequency/logarithm.js";
import {
  frequenciesOf,
  openRealFourier,
  realFourier,
} from "../../../services/kernels/frequency/real-fourier.js";
import {
  frequencyFeatures,
  frequencyNames,
  openSpectrumState,
  powerSpectrum,
} from "../../../services/kernels/frequency/spectrum.js";
import { unitRoots } from "../../../services/kernels/frequency/unit-roots.js";
import { anyArray, finiteArray } from "../arbitrary-values.js";
import { bitText } from "../exact-arithmetic.js";

function featuresOf(values: Float64Array, intervalMs = 1_000, state = openSpectrumState(), first = 0) {
  const out = new Float64Array(6).fill(-7);
  frequencyFeatures(state, values, first, values.length, intervalMs, out, 1);
  assert.deepEqual([out[0], out[5]], [-7, -7], "wrote only its own columns");
  return out.subarray(1, 5);
}

function wave(length: number, period: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 5 + 3 * Math.cos((2 * Math.PI * i) / period));
}

const near = (actual: number, expected: number, by = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual} instead of ${expected}`);

describe("unit roots and logarithm", () => {
  it("are those of Math, within its rounding", () => {
    for (const n of [1, 2, 3, 5, 8, 12, 97, 720]) {
      const roots = unitRoots(n);
      for (let k = 0; k < n; k++) {
        near(roots[2 * k], Math.cos((2 * Math.PI * k) / n), 2e-15);
        near(roots[2 * k + 1], -Math.sin((2 * Math.PI * k) / n), 2e-15);
      }
    }
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }), (x) =>
        near(logarithm(x), Math.log(x), 4 * 2 ** -52 * Math.abs(Math.log(x))),
      ),
      { seed: 1, numRuns: 5_000 },
    );
  });

  it("are exact where they can be", () => {
    assert.deepEqual(
      [...unitRoots(4)].map((x) => x + 0),
      [1, 0, 0, -1, -1, 0, 0, 1],
    );
    assert.equal(logarithm(1), 0);
  });
});

describe("real Fourier transform", () => {
  it("is linear in what it is given: an impulse is all ones, a constant only its sum", () => {
    for (const length of [1, 2, 3, 4, 5, 6, 30, 31, 37, 74, 128]) {
      const out = new Float64Array(2 * frequenciesOf(length));
      const impulse = new Float64Array(length);
      impulse[0] = 1;
      realFourier(openRealFourier(length), impulse, 0, out, 0);
      out.forEach((value, i) => near(value, i % 2 === 0 ? 1 : 0));
      realFourier(openRealFourier(length), new Float64Array(length).fill(2), 0, out, 0);
      out.forEach((value, i) => near(value, i === 0 ? 2 * length : 0, 1e-11));
    }
  });

  it("has no frequency of no values", () => {
    realFourier(openRealFourier(0), new Float64Array(0), 0, new Float64Array(0), 0);
    assert.equal(frequenciesOf(0), 0);
  });
});

describe("frequency features", () => {
  it("find a wave's frequency, and that it is the only one", () => {
    const [dominant, entropy, centroid, bandwidth] = featuresOf(wave(120, 12), 5_000);
    near(dominant, 1 / 60);
    near(entropy, 0, 1e-10);
    near(centroid, 1 / 60, 1e-10);
    near(bandwidth, 0, 1e-10);
  });

  it("of equal powers name the lowest, and their entropy is 1", () => {
    const impulse = new Float64Array(9);
    impulse[4] = 1;
    const [dominant, entropy] = featuresOf(impulse);
    near(dominant, 1 / 9);
    near(entropy, 1);
  });

  it("are NaN without power, and where a value is missing", () => {
    for (const values of [[], [7], [0.1, 0.1, 0.1], [1, NaN, 3, 1], [1, Infinity, 3, 1]])
      assert.ok(
        featuresOf(Float64Array.from(values)).every((value) => Number.isNaN(value)),
        values.join(),
      );
    // One frequency has no entropy.
    assert.deepEqual(
      [...featuresOf(Float64Array.of(1, 2))].map((value) => Number.isNaN(value)),
      [false, true, false, false],
    );
    assert.equal(frequencyNames.length, 4);
  });

  it("depend on the window only, whatever the state was used for, and change no input", () => {
    const used = openSpectrumState();
    fc.assert(
      fc.property(anyArray, anyArray, (before, window) => {
        const all = Float64Array.from([...before, ...window]);
        const unchanged = bitText(all);
        const within = featuresOf(all, 5_000, used, before.length);
        assert.equal(bitText(within), bitText(featuresOf(Float64Array.from(window), 5_000)));
        assert.equal(bitText(all), unchanged);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("powers add up to the variance, of any finite values", () => {
    const state = openSpectrumState();
    fc.assert(
      fc.property(finiteArray, (raw) => {
        const largest = raw.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        fc.pre(largest < 1e150 && largest > 1e-100);
        const values = Float64Array.from(raw);
        const power = new Float64Array(frequenciesOf(raw.length));
        powerSpectrum(state, values, 0, raw.length, power, 0);
        const mean = raw.reduce((sum, value) => sum + value / raw.length, 0);
        const variance = raw.reduce((sum, value) => sum + (value - mean) ** 2 / raw.length, 0);
        const total = power.reduce((sum, value) => sum + value, 0);
        near(total, variance, 1e-9 * variance + 1e-28 * largest ** 2);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });
});
