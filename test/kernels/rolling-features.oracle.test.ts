import { after, before, describe, it } from "node:test";
import { fractionOf } from "../../services/kernels/percentile.js";
import {
  type RollingPlan,
  openRollingState,
  rollingFeatures,
  rollingWidth,
} from "../../services/kernels/rolling-features.js";
import { openComparison } from "../oracle/comparison.js";
import { nodeExporterDay } from "../oracle/node-exporter-day.js";
import { type Python, openPython } from "../oracle/python.js";
import { largestFinite, seriesCases } from "../oracle/series-cases.js";

const windowsMs = [300_000, 900_000, 3_600_000];
const fractions = [25, 50, 75, 95, 99].map(fractionOf);
const plan: RollingPlan = { windowsMs, mean: true, standardDeviation: true, fractions };

describe("rolling features", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/rolling-features.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("equal pandas", async (context) => {
    const mean = openComparison("rolling mean", "pandas rolling(w).mean()");
    const std = openComparison("rolling std", "pandas rolling(w).std(ddof=1)");
    const percentile = openComparison("rolling percentiles", "pandas rolling(w).quantile(q)", 1e-15);
    const day = nodeExporterDay();
    for (const series of [...seriesCases(), ...day]) {
      const { name, timestamps, values } = series;
      const width = rollingWidth(plan);
      const rows = new Float64Array(values.length * width);
      const state = openRollingState(plan);
      values.forEach((_, i) => rollingFeatures(plan, state, timestamps, values, 0, i + 1, rows, i * width));
      const column = (k: number) => values.map((_, i) => rows[i * width + k]);
      const scale = largestFinite(values);
      for (const [w, windowMs] of windowsMs.entries()) {
        const expected = await python.call<Float64Array[]>(
          "rolling",
          timestamps,
          values,
          windowMs,
          Float64Array.from(fractions),
          day.some((recorded) => recorded === series),
        );
        const at = (k: number) => column((w * width) / windowsMs.length + k);
        const where = `${name}, window ${windowMs}`;
        mean.compare(at(0), expected[0], where, scale);
        std.compare(at(1), expected[1], where, scale);
        fractions.forEach((_, p) => percentile.compare(at(2 + p), expected[2 + p], where));
      }
    }
    for (const comparison of [mean, std, percentile]) comparison.conclude(context);
  });
});
