import { after, before, describe, it } from "node:test";
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
import { randomStream, uniform } from "../../../services/kernels/random.js";
import { openComparison } from "../../oracle/comparison.js";
import { nodeExporterDay } from "../../oracle/node-exporter-day.js";
import { type Python, openPython } from "../../oracle/python.js";
import { seriesCases } from "../../oracle/series-cases.js";

const intervalMs = 5_000;

function windows(): { name: string; values: Float64Array }[] {
  return [
    ...seriesCases().map(({ name, values }) => ({ name, values })),
    ...nodeExporterDay().flatMap(({ name, values }) =>
      [60, 97, 180, 720, 1009].map((size) => ({
        name: `${name}, newest ${size}`,
        values: values.slice(-size),
      })),
    ),
  ];
}

const norm = (values: Float64Array) => Math.hypot(...values);

describe("frequencies", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/frequency/frequency.oracle.py", { remembers: true });
  });
  after(() => python.close());

  const transformed = (values: Float64Array) => {
    const out = new Float64Array(2 * frequenciesOf(values.length));
    realFourier(openRealFourier(values.length), values, 0, out, 0);
    return out;
  };

  it("rfft equals numpy, relative to the norm of the values", async (context) => {
    const comparison = openComparison("rfft", "numpy fft.rfft", 1e-14);
    // Every length up to 200, and long ones with small, large and repeated factors.
    const lengths = [...Array(201).keys()].slice(1);
    for (const length of [
      ...lengths,
      240,
      343,
      360,
      509,
      720,
      961,
      1000,
      1009,
      1024,
      1994,
      3600,
      4093,
      5760,
    ]) {
      const random = randomStream(length, "rfft", 0);
      const values = Float64Array.from({ length }, () => uniform(random, -1, 1));
      const expected = await python.call<Float64Array>("rfft", values);
      comparison.compare(transformed(values), expected, `${length} values`, norm(values));
    }
    for (const { name, values } of windows()) {
      if (!values.every(Number.isFinite)) continue;
      const expected = await python.call<Float64Array>("rfft", values);
      // Among denormals each operation rounds, numpy's as well: they count as normal numbers.
      const size = Math.max(norm(values), 2 ** -1018);
      comparison.compare(transformed(values), expected, name, size);
    }
    comparison.conclude(context);
  });

  it("power and features equal scipy and numpy", async (context) => {
    const power = openComparison("power spectrum", "scipy periodogram");
    const oracles = [
      "numpy argmax",
      "scipy entropy of scipy periodogram",
      "numpy average of scipy periodogram",
      "numpy average of scipy periodogram",
    ];
    const comparisons = frequencyNames.map((name, i) =>
      openComparison(name.replaceAll("_", " "), oracles[i], i === 0 ? 1e-15 : 1e-9),
    );
    const state = openSpectrumState();
    for (const { name, values } of windows()) {
      const ours = new Float64Array(frequenciesOf(values.length));
      powerSpectrum(state, values, 0, values.length, ours, 0);
      const four = new Float64Array(4);
      frequencyFeatures(state, values, 0, values.length, intervalMs, four, 0);
      const [powers, features] = await python.call<Float64Array[]>("features", values, intervalMs);
      power.compare(
        ours,
        powers,
        name,
        powers.reduce((most, value) => Math.max(most, value), 0),
      );
      for (const [i, comparison] of comparisons.entries())
        comparison.compare([four[i]], [features[i]], `${name}, ${frequencyNames[i]}`, i === 1 ? 1 : 0);
    }
    for (const comparison of [power, ...comparisons]) comparison.conclude(context);
  });
});
