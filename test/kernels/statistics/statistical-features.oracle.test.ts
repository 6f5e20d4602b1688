import { after, before, describe, it } from "node:test";
import { sortInto } from "../../../services/kernels/sorted-values.js";

import { extremesAndCount } from "../../../services/kernels/statistics/extremes.js";
import { medianAbsoluteDeviation } from "../../../services/kernels/statistics/median-absolute-deviation.js";
import {
  openStatisticsState,
  type StatisticsPlan,
  statisticalFeatures,
  statisticalNames,
} from "../../../services/kernels/statistics/statistical-features.js";
import { openComparison } from "../../oracle/comparison.js";
import { nodeExporterDay } from "../../oracle/node-exporter-day.js";
import { type Python, openPython } from "../../oracle/python.js";
import { seriesCases } from "../../oracle/series-cases.js";
import { variationOf } from "./variation-of.js";

const plan: StatisticsPlan = { lags: [1, 2, 5, 60], supports: [1, 3, 5, 10], sigmas: [1, 2, 3] };

/** Whole series, their newest samples, and of the long real ones a window here and there. */
function windows(): { name: string; values: Float64Array }[] {
  return [
    ...seriesCases().flatMap(({ name, values }) => [
      { name, values },
      { name: `${name}, newest 60`, values: values.slice(-60) },
    ]),
    ...nodeExporterDay().flatMap(({ name, values }) =>
      [60, 180, 720].flatMap((size) =>
        [0, 0.3, 0.7, 1].map((share) => {
          const first = Math.floor(share * (values.length - size));
          return { name: `${name}, ${size} from ${first}`, values: values.slice(first, first + size) };
        }),
      ),
    ),
  ];
}

/** What counts or divides counts: there is no rounding in it. */
const exactNames = /^(count|longest|first|last|number|ratio)/;
/** Sums that may cancel: the size of what is added, besides the result's own. */
const cancelling: Record<string, number> = { skewness: 1, kurtosis: 3, autocorrelation: 1 };

/** Without the parameter. */
const operationOf = (feature: string) => feature.replace(/_\d+$/, "").replace(/_\d_/, "_r_");

describe("statistical features", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/statistics/statistical-features.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("equal tsfresh", async (context) => {
    const names = statisticalNames(plan);
    const operations = [...new Set(names.map(operationOf))];
    const comparisons = new Map(
      operations.map((operation) => [
        operation,
        openComparison(operation, "tsfresh", exactNames.test(operation) ? 1e-15 : 1e-9),
      ]),
    );
    const state = openStatisticsState();
    for (const { name, values } of windows()) {
      const ours = new Float64Array(names.length);
      statisticalFeatures(plan, state, values, 0, values.length, ours, 0);
      const expected = await python.call<Float64Array>(
        "features",
        values,
        [...plan.lags],
        [...plan.supports],
        [...plan.sigmas],
      );
      for (const [i, feature] of names.entries()) {
        const operation = operationOf(feature);
        const scale = cancelling[operation] ?? 0;
        comparisons.get(operation)?.compare([ours[i]], [expected[i]], `${name}, ${feature}`, scale);
      }
    }
    for (const comparison of comparisons.values()) comparison.conclude(context);
  });

  it("equal pandas and scipy: extremes, count, median absolute deviation, variation", async (context) => {
    const extremes = openComparison("min, max, count", "pandas min(), max(), count()", 0);
    const absolute = openComparison("median absolute deviation", "scipy median_abs_deviation", 0);
    const variation = openComparison("coefficient of variation", "scipy variation(ddof=1)");
    for (const { name, values } of windows()) {
      const expected = await python.call<Float64Array>("window_statistics", values);
      const three = new Float64Array(3);
      extremesAndCount(values, 0, values.length, three, 0);
      extremes.compare(three, expected.subarray(0, 3), name);
      const sorted = new Float64Array(values.length);
      const end = sortInto(sorted, 0, values, 0, values.length);
      absolute.compare([medianAbsoluteDeviation(sorted, 0, end)], [expected[3]], name);
      variation.compare([variationOf(values, 0, values.length)], [expected[4]], name);
    }
    for (const comparison of [extremes, absolute, variation]) comparison.conclude(context);
  });
});
