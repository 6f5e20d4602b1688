import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { meanAndStandardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { fractionOf, percentileOfSorted } from "../../services/kernels/percentile.js";
import { increase, rate } from "../../services/kernels/rate.js";
import {
  openRollingState,
  rollingFeatures,
  rollingWidth,
  type RollingPlan,
} from "../../services/kernels/rolling-features.js";
import { endOf, openSlidingWindows, slide, startOf } from "../../services/kernels/sliding-windows.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { momentum } from "../../services/kernels/momentum.js";
import { openPython } from "../oracle/python.js";
import { processorSeconds } from "./processor-seconds.js";
import { printSpeed } from "./speed-line.js";

/** Time a sample of the rolling set and of its parts, beside pandas. `node dist/test/kernels/rolling-features.bench.js` */

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

function secondsPerRow(row: (i: number) => void): number {
  return (
    processorSeconds(() => {
      for (let i = 0; i < rows; i++) row(i);
    }) / rows
  );
}

function rateOf(i: number): number {
  return rate(timestamps, values, null, Math.max(0, i - 11), i + 1, timestamps[i], 60_000);
}

const python = openPython("test/kernels/rolling-features.oracle.py");
const ofPandas: { moments: number; quantiles: number }[] = [];
for (const windowMs of plan.windowsMs) {
  const [moments, quantiles] = await python.call<Float64Array>(
    "seconds",
    timestamps,
    values,
    windowMs,
    fractions,
  );
  ofPandas.push({ moments: moments / rows, quantiles: quantiles / rows });
}
await python.close();
const pandas = {
  library: "pandas",
  seconds: ofPandas.reduce((total, { moments, quantiles }) => total + moments + quantiles, 0),
};

const state = openRollingState(plan);
printSpeed(
  "rolling set: mean, std, 5 percentiles of 60, 180 and 720 samples, a sample",
  secondsPerRow((i) => rollingFeatures(plan, state, timestamps, values, 0, i + 1, out, 0)),
  pandas,
);

const defaults: RollingPlan = { ...plan, slopeWindowsMs: [3_600_000] };
const width = rollingWidth(defaults);
const row = new Float64Array(width + 7);
const stateOfDefaults = openRollingState(defaults);
printSpeed(
  "default features: the rolling set, slope, rate, three momenta, a sample",
  secondsPerRow((i) => {
    rollingFeatures(defaults, stateOfDefaults, timestamps, values, 0, i + 1, row, 0);
    row[width] = rateOf(i);
    for (const [k, lagMs] of plan.windowsMs.entries())
      momentum(timestamps, values, 0, i + 1, lagMs, 60_000, row, width + 1 + 2 * k);
  }),
);

// What a processor does: one row of each of many series, whose memory is cold by the time the next row comes.
for (const count of [100, 1_000]) {
  const many = Array.from({ length: count }, () => ({
    timestamps: timestamps.slice(0, 1_000),
    values: values.slice(0, 1_000),
    state: openRollingState(plan),
    end: 720,
  }));
  printSpeed(
    `rolling set, in turn over ${count} series, a sample`,
    secondsPerRow((i) => {
      const series = many[i % count];
      series.end = series.end === 1_000 ? 720 : series.end + 1;
      rollingFeatures(plan, series.state, series.timestamps, series.values, 0, series.end, out, 0);
    }),
    pandas,
  );
}

for (const [w, windowMs] of plan.windowsMs.entries()) {
  const count = windowMs / intervalMs;
  const windows = openSlidingWindows(1);
  printSpeed(
    `5 percentiles of ${count}, a sample`,
    secondsPerRow((i) => {
      slide(windows, [windowMs], timestamps, values, 0, i + 1);
      const [start, end] = [startOf(windows, 0), endOf(windows, 0)];
      for (let p = 0; p < fractions.length; p++)
        out[p] = percentileOfSorted(windows.cells, start, end, fractions[p]);
    }),
    { library: "pandas", seconds: ofPandas[w].quantiles },
  );
  printSpeed(
    `mean and std of ${count}, a sample`,
    secondsPerRow((i) => meanAndStandardDeviation(values, Math.max(0, i + 1 - count), i + 1, out, 0)),
    { library: "pandas", seconds: ofPandas[w].moments },
  );
}

const judged = new Float64Array(720);
sortInto(judged, 0, values, 0, 720);
printSpeed(
  "IQR verdict among 720",
  secondsPerRow((i) => void isIqrOutlier(judged, 0, 720, values[i % 720], out, 0)),
);
printSpeed(
  "rate over 12 samples",
  secondsPerRow((i) => void (out[0] = rateOf(i))),
);
printSpeed(
  "increase over 12 samples",
  secondsPerRow((i) => {
    out[0] = increase(timestamps, values, null, Math.max(0, i - 11), i + 1, timestamps[i], 60_000);
  }),
);
