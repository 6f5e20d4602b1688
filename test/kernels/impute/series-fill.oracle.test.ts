import { after, before, describe, it } from "node:test";
import type { SeriesKernel } from "../../../services/kernels/impute/declaration.js";
import { backwardFill } from "../../../services/kernels/impute/backward-fill.js";
import { forwardFill } from "../../../services/kernels/impute/forward-fill.js";
import { linearFill } from "../../../services/kernels/impute/linear.js";
import { seasonalFill } from "../../../services/kernels/impute/seasonal-fill.js";
import { openComparison } from "../../oracle/comparison.js";
import { type Python, openPython } from "../../oracle/python.js";
import { type SeriesCase, largestFinite } from "../../oracle/series-cases.js";
import { gappyCases } from "./gappy-cases.js";

const maxGapsMs = [60_000, 1e12];

describe("fills of a series", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/impute/series-fill.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("along lines in time equal pandas", async (context) => {
    const comparison = openComparison(
      "linear fill",
      "pandas interpolate('time', limit_area='inside')",
      1e-15,
    );
    for (const { name, timestamps, values } of gappyCases()) {
      for (const maxGapMs of maxGapsMs) {
        const filled = filledBy(linearFill, { maxGapMs }, timestamps, values);
        const expected = await python.call<Float64Array>("linear", timestamps, values, maxGapMs);
        comparison.compare(filled, expected, `${name}, gaps up to ${maxGapMs}`, largestFinite(values));
      }
    }
    comparison.conclude(context);
  });

  for (const [fill, name, oracle] of [
    [forwardFill, "forward", "pandas ffill(limit)"],
    [backwardFill, "backward", "pandas bfill(limit)"],
  ] as const) {
    it(`${name} equal pandas`, async (context) => {
      const comparison = openComparison(`${name} fill`, oracle, 0);
      for (const { name: series, timestamps, values } of gappyCases()) {
        for (const [maxGapMs, limitCount, limitAgeMs] of [
          [1e12, 3, 1e12],
          [1e12, 1e6, 42_000],
          [60_000, 5, 42_000],
        ]) {
          const filled = filledBy(fill, { maxGapMs, limitCount, limitAgeMs }, timestamps, values);
          const expected = await python.call<Float64Array>(
            name,
            timestamps,
            values,
            maxGapMs,
            limitCount,
            limitAgeMs,
          );
          comparison.compare(filled, expected, `${series}, ${maxGapMs}, ${limitCount}, ${limitAgeMs}`);
        }
      }
      comparison.conclude(context);
    });
  }

  it("by season equal the same recipe in pandas", async (context) => {
    const comparison = openComparison("seasonal fill", "pandas groupby(phase).mean(), interpolate('time')");
    // Of denormals a mean is a multiple of the smallest: their seasons have no nine digits.
    for (const { name, timestamps, values } of gappyCases(["denormal"])) {
      for (const [maxGapMs, periodSamples] of [
        [1e12, 60],
        [60_000, 7],
      ]) {
        const options = { maxGapMs, periodSamples, intervalMs: 5_000, windowMs: 1e12 };
        const filled = filledBy(seasonalFill, options, timestamps, values);
        const expected = await python.call<Float64Array>(
          "seasonal",
          timestamps,
          values,
          maxGapMs,
          periodSamples,
          options.intervalMs,
        );
        comparison.compare(filled, expected, `${name}, period ${periodSamples}`, largestFinite(values));
      }
    }
    comparison.conclude(context);
  });
});

function filledBy<Options>(
  fill: SeriesKernel<Options>,
  options: Options,
  timestamps: SeriesCase["timestamps"],
  values: SeriesCase["values"],
): Float64Array {
  const out = new Float64Array(values.length);
  fill(options, timestamps, values, 0, values.length, out, new Uint8Array(values.length), 0);
  return out;
}
