import { after, before, describe, it } from "node:test";
import {
  fitMinMax,
  inverseMinMax,
  type MinMaxFit,
  transformMinMax,
} from "../../../services/kernels/scale/min-max.js";
import { fitRobust, inverseRobust, transformRobust } from "../../../services/kernels/scale/robust.js";
import { fitZScore, inverseZScore, transformZScore } from "../../../services/kernels/scale/z-score.js";
import type { FittedOn } from "../../../services/kernels/scale/fitted-on.js";
import { openComparison } from "../../oracle/comparison.js";
import { nodeExporterDay } from "../../oracle/node-exporter-day.js";
import { type Python, openPython } from "../../oracle/python.js";
import { largestFinite, seriesCases } from "../../oracle/series-cases.js";

/** A table of one or three columns. */
function tableOf(values: Float64Array): { fittedOn: FittedOn; shape: number[] } {
  const columns = values.length % 3 === 0 ? ["a", "b", "c"] : ["a"];
  return {
    fittedOn: { columns, fromMs: 0, toMs: 1 },
    shape: [values.length / columns.length, columns.length],
  };
}

/** scikit-learn refuses infinities, which the kernels ignore like NaN. */
const withoutInfinities = (values: Float64Array) =>
  values.map((value) => (Number.isFinite(value) ? value : NaN));

function written(
  write: (rows: Float64Array, out: Float64Array, outOffset: number) => void,
  rows: Float64Array,
): Float64Array {
  const out = new Float64Array(rows.length);
  write(rows, out, 0);
  return out;
}

describe("scalers", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/scale/scale.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("equal scikit-learn: min-max", async (context) => {
    const fits = openComparison("min-max scaling: fit", "scikit-learn MinMaxScaler", 0);
    const there = openComparison("min-max scaling: transform", "scikit-learn MinMaxScaler", 0);
    const back = openComparison("min-max scaling: inverse", "scikit-learn MinMaxScaler", 0);
    for (const { name, values } of [...seriesCases(), ...nodeExporterDay()]) {
      const { fittedOn, shape } = tableOf(values);
      const fit: MinMaxFit = fitMinMax(values, fittedOn);
      const rows = withoutInfinities(values);
      const expected = await python.call<Float64Array[]>(
        "min_max",
        { values: rows, shape },
        { values: rows, shape },
      );
      fits.compare(
        fit.columns.flatMap((c) => [c.minimum ?? NaN, c.maximum ?? NaN, c.scale ?? NaN, c.shift ?? NaN]),
        expected[0],
        name,
      );
      const scaled = written((...to) => transformMinMax(fit, ...to), rows);
      there.compare(scaled, expected[1], name);
      back.compare(
        written((...to) => inverseMinMax(fit, ...to), scaled),
        expected[2],
        name,
      );
    }
    for (const comparison of [fits, there, back]) comparison.conclude(context);
  });

  for (const [title, oracle, call, fitted, transform, inverse, limit] of [
    ["robust", "RobustScaler", "robust", fitRobust, transformRobust, inverseRobust, 0],
    ["z-score", "StandardScaler", "z_score", fitZScore, transformZScore, inverseZScore, 1e-9],
  ] as const) {
    it(`equal scikit-learn: ${title}`, async (context) => {
      const fits = openComparison(`${title} scaling: fit`, `scikit-learn ${oracle}`, limit);
      const there = openComparison(`${title} scaling: transform`, `scikit-learn ${oracle}`, limit);
      const back = openComparison(`${title} scaling: inverse`, `scikit-learn ${oracle}`, limit);
      for (const { name, values } of [...seriesCases(), ...nodeExporterDay()]) {
        const { fittedOn, shape } = tableOf(values);
        const fit = fitted(values, fittedOn);
        const rows = withoutInfinities(values);
        const expected = await python.call<Float64Array[]>(
          call,
          { values: rows, shape },
          { values: rows, shape },
        );
        const size = largestFinite(values);
        const numbers = fit.columns.flatMap(({ centre, scale }) => [centre ?? NaN, scale ?? NaN]);
        fits.compare(numbers, expected[0], name, size);
        const scaled = written((...to) => transform(fit as never, ...to), rows);
        there.compare(scaled, expected[1], name, 1);
        back.compare(
          written((...to) => inverse(fit as never, ...to), scaled),
          expected[2],
          name,
          size,
        );
      }
      for (const comparison of [fits, there, back]) comparison.conclude(context);
    });
  }
});
