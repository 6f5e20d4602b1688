import { increase, rate } from "../../services/kernels/rate.js";
import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { meanAndStandardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { fractionOf, percentileOfSorted } from "../../services/kernels/percentile.js";
import {
  openRollingState,
  rollingFeatures,
  rollingWidth,
  type RollingPlan,
} from "../../services/kernels/rolling-features.js";
import { openSlidingWindows, slide } from "../../services/kernels/sliding-windows.js";
import { sortInto } from "../../services/kernels/sorted-values.js";

/**
 * Nanoseconds a row of the kernels, and as a ratio to doing the same naively. `node
 * dist/test/kernels/rolling-features.bench.js`
 */

const rows = 20_000;
const intervalMs = 5_000;
const timestamps = Float64Array.from({ length: rows }, (_, i) => 1_760_000_000_000 + i * intervalMs);
// A daily shape with noise, from a generator that is the same on every run.
let seed = 1;
const values = timestamps.map((_, i) => {
  seed = (seed * 48_271) % 2_147_483_647;
  return 50 + 10 * Math.sin(i / 200) + seed / 2_147_483_647;
});
const fractions = [25, 50, 75, 95, 99].map(fractionOf);
const plan: RollingPlan = {
  windowsMs: [300_000, 900_000, 3_600_000],
  mean: true,
  standardDeviation: true,
  fractions,
};
const out = new Float64Array(rollingWidth(plan));

/**
 * The median of five runs, after one to warm up. Time of the processor: what else the machine does counts
 * little.
 */
function nanosecondsPerRow(row: (i: number) => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < rows; i++) row(i);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / rows;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}

function report(name: string, ours: number, naive?: number): void {
  const ratio = naive === undefined ? "" : `, naive ${naive.toFixed(0)} ns: ${(naive / ours).toFixed(1)} ×`;
  process.stdout.write(`${name}: ${ours.toFixed(0)} ns a row${ratio}\n`);
}

function naiveRow(i: number, windowsMs: readonly number[]): number {
  let total = 0;
  for (const windowMs of windowsMs) {
    const inside = values.slice(Math.max(0, i + 1 - windowMs / intervalMs), i + 1);
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
    const squares = inside.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    inside.sort();
    total += mean + Math.sqrt(squares / (inside.length - 1));
    for (const fraction of fractions) total += percentileOfSorted(inside, 0, inside.length, fraction);
  }
  return total;
}

const state = openRollingState(plan);
report(
  "mean, standard deviation and five percentiles of 60, 180 and 720 samples",
  nanosecondsPerRow((i) => rollingFeatures(plan, state, timestamps, values, 0, i + 1, out, 0)),
  nanosecondsPerRow((i) => void naiveRow(i, plan.windowsMs)),
);

// What a processor does: one row of each of many series, whose memory is cold by the time the next row comes.
for (const count of [100, 1_000]) {
  const many = Array.from({ length: count }, () => ({
    timestamps: timestamps.slice(0, 1_000),
    values: values.slice(0, 1_000),
    state: openRollingState(plan),
    end: 720,
  }));
  report(
    `the same, in turn over ${count} series`,
    nanosecondsPerRow((i) => {
      const series = many[i % count];
      series.end = series.end === 1_000 ? 720 : series.end + 1;
      rollingFeatures(plan, series.state, series.timestamps, series.values, 0, series.end, out, 0);
    }),
  );
}

for (const count of [60, 180, 720]) {
  const windowsMs = [count * intervalMs];
  const windows = openSlidingWindows(1);
  const fresh = new Float64Array(count);
  const first = (i: number): number => Math.max(0, i + 1 - count);
  report(
    `sorted window of ${count}`,
    nanosecondsPerRow((i) => slide(windows, windowsMs, timestamps, values, 0, i + 1)),
    nanosecondsPerRow((i) => void sortInto(fresh, 0, values, first(i), i + 1)),
  );
  report(
    `mean and standard deviation of ${count}`,
    nanosecondsPerRow((i) => meanAndStandardDeviation(values, first(i), i + 1, out, 0)),
  );
}

const judged = new Float64Array(720);
sortInto(judged, 0, values, 0, 720);
report(
  "IQR verdict among 720",
  nanosecondsPerRow((i) => void isIqrOutlier(judged, 0, 720, values[i % 720], out, 0)),
);
for (const kernel of [rate, increase]) {
  report(
    `${kernel.name} over 12 samples`,
    nanosecondsPerRow((i) => {
      out[0] = kernel(timestamps, values, null, Math.max(0, i - 11), i + 1, timestamps[i], 60_000);
    }),
  );
}
