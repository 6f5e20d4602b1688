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

/**
 * Microseconds a window of the statistical features, and tsfresh's for the same.
 * `node dist/test/kernels/statistics/statistical-features.bench.js`
 */

const plan: StatisticsPlan = { lags: [1, 5, 60], supports: [1, 5], sigmas: [1, 2, 3] };
const kind = seriesCases().filter(({ name }) => name.startsWith("daily, regular"));
const values = Float64Array.from([...kind, ...kind, ...kind].flatMap((series) => [...series.values]));
const out = new Float64Array(statisticalNames(plan).length);
const state = openStatisticsState();

/** The median of five runs, after one to warm up, of the processor's time. */
function microseconds(rows: number, row: (i: number) => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < rows; i++) row(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / rows;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}

const python = openPython("test/kernels/statistics/statistical-features.oracle.py");
for (const window of [60, 180, 720]) {
  const rows = 100;
  const ours = microseconds(5_000, (i) =>
    statisticalFeatures(plan, state, values, i % 1000, (i % 1000) + window, out, 0),
  );
  const parameters = [[...plan.lags], [...plan.supports], [...plan.sigmas]];
  const [seconds] = await python.call<Float64Array>("seconds", values, window, rows, ...parameters);
  const theirs = (seconds * 1e6) / rows;
  process.stdout.write(
    `${out.length} features of ${window}: ${ours.toFixed(1)} µs, tsfresh ${theirs.toFixed(0)} µs: ${(theirs / ours).toFixed(0)} ×\n`,
  );
}
await python.close();

const sorted = new Float64Array(720);
const end = sortInto(sorted, 0, values, 0, 720);
const deviation = microseconds(20_000, () => void medianAbsoluteDeviation(sorted, 0, end));
process.stdout.write(`median absolute deviation of 720 sorted: ${(deviation * 1000).toFixed(0)} ns\n`);
