import { after, before, describe, it } from "node:test";
import { deriv } from "../../services/kernels/deriv.js";
import { momentum } from "../../services/kernels/momentum.js";
import { trendSlope } from "../../services/kernels/trend-slope.js";
import { openComparison } from "../oracle/comparison.js";
import { type Python, openPython } from "../oracle/python.js";
import { largestFinite, seriesCases } from "../oracle/series-cases.js";
import { momentsAlone } from "./moments-alone.js";

const minute = 60_000;

describe("trends", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/trend.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("have the slope of scipy", async (context) => {
    const alone = openComparison("trend slope", "scipy linregress");
    const rolling = openComparison("rolling slope", "scipy linregress");
    for (const { name, timestamps, values } of seriesCases()) {
      const spanMs = timestamps[timestamps.length - 1] - timestamps[0];
      const expected = await python.call<Float64Array>("slope", timestamps, values);
      const scale = spanMs > 0 ? largestFinite(values) / (spanMs / 1000) : 0;
      alone.compare([trendSlope(timestamps, values, 0, values.length)], expected, name, scale);
      rolling.compare([momentsAlone(timestamps, values, spanMs + 1).slope], expected, name, scale);
    }
    for (const comparison of [alone, rolling]) comparison.conclude(context);
  });

  it("have the derivative of Prometheus, to the bit", async (context) => {
    const comparison = openComparison("deriv", "Prometheus linearRegression's definition", 0);
    for (const { name, timestamps, values } of seriesCases()) {
      const expected = await python.call<Float64Array>("deriv", timestamps, values);
      comparison.compare([deriv(timestamps, values, null, 0, values.length)], expected, name);
    }
    comparison.conclude(context);
  });

  it("have the momentum of pandas", async (context) => {
    const absolute = openComparison("momentum", "pandas merge_asof", 0);
    const relative = openComparison("momentum, per cent", "pandas merge_asof", 0);
    for (const { name, timestamps, values } of seriesCases()) {
      for (const [lagMs, toleranceMs] of [
        [5 * minute, 7_500],
        [15 * minute, minute],
        [60 * minute, 0],
      ]) {
        const rows = new Float64Array(2 * values.length);
        values.forEach((_, i) => momentum(timestamps, values, 0, i + 1, lagMs, toleranceMs, rows, 2 * i));
        const expected = await python.call<Float64Array[]>(
          "momentum",
          timestamps,
          values,
          lagMs,
          toleranceMs,
        );
        const where = `${name}, lag ${lagMs}`;
        absolute.compare(
          values.map((_, i) => rows[2 * i]),
          expected[0],
          where,
        );
        relative.compare(
          values.map((_, i) => rows[2 * i + 1]),
          expected[1],
          where,
        );
      }
    }
    absolute.conclude(context);
    relative.conclude(context);
  });
});
