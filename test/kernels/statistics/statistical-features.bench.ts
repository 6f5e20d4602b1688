import { sortInto } from "../../../services/kernels/sorted-values.js";
import { medianAbsoluteDeviation } from "../../../services/kernels/statistics/median-absolute-deviation.js";
import {
  openStatisticsState,
  type StatisticsPlan,
  statisticalFeatures,
  statisticalNames,
} from "../../../services/kernels/statistics/statistical-features.js";
import { openPython } from "../../oracle/python.js";
import { seriesCases } from "../../oracle/series-cases.js";
import { processorSeconds } from "../processor-seconds.js";
import { printSpeed } from "../speed-line.js";

/**
 * Time a window of the statistical features, beside tsfresh.
 * `node dist/test/kernels/statistics/statistical-features.bench.js`
 */

const plan: StatisticsPlan = { lags: [1, 5, 60], supports: [1, 5], sigmas: [1, 2, 3] };
const kind = seriesCases().filter(({ name }) => name.startsWith("daily, regular"));
const values = Float64Array.from([...kind, ...kind, ...kind].flatMap((series) => [...series.values]));
const out = new Float64Array(statisticalNames(plan).length);
const state = openStatisticsState();

function secondsPerRow(rows: number, row: (i: number) => void): number {
  return (
    processorSeconds(() => {
      for (let i = 0; i < rows; i++) row(i);
    }) / rows
  );
}

const python = openPython("test/kernels/statistics/statistical-features.oracle.py");
for (const window of [60, 180, 720]) {
  const rows = 100;
  const ours = secondsPerRow(5_000, (i) =>
    statisticalFeatures(plan, state, values, i % 1000, (i % 1000) + window, out, 0),
  );
  const parameters = [[...plan.lags], [...plan.supports], [...plan.sigmas]];
  const [seconds] = await python.call<Float64Array>("seconds", values, window, rows, ...parameters);
  const theirs = { library: "tsfresh", seconds: seconds / rows };
  printSpeed(`${out.length} statistical features of ${window}`, ours, theirs);
}
await python.close();

const sorted = new Float64Array(720);
const end = sortInto(sorted, 0, values, 0, 720);
const deviation = secondsPerRow(20_000, () => void medianAbsoluteDeviation(sorted, 0, end));
printSpeed("median absolute deviation of 720 sorted", deviation);
