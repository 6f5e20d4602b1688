import { backwardFill, backwardFillImputer } from "../../../services/kernels/impute/backward-fill.js";
import type { SeriesKernel, TableKernel } from "../../../services/kernels/impute/declaration.js";
import { forwardFill, forwardFillImputer } from "../../../services/kernels/impute/forward-fill.js";
import { groupFill, groupImputer } from "../../../services/kernels/impute/group-fill.js";
import { kMeansFill, kMeansImputer } from "../../../services/kernels/impute/k-means-fill.js";
import { linearFill, linearImputer } from "../../../services/kernels/impute/linear.js";
import {
  meanFill,
  meanImputer,
  medianFill,
  medianImputer,
} from "../../../services/kernels/impute/mean-median.js";
import { regressionFill, regressionImputer } from "../../../services/kernels/impute/regression.js";
import { seasonalFill, seasonalImputer } from "../../../services/kernels/impute/seasonal-fill.js";
import { softImputeFill, softImputeImputer } from "../../../services/kernels/impute/soft-impute.js";

/** By the longest gap that is filled, milliseconds. */
export type FillSeries = SeriesKernel<number>;
export type FillTable = TableKernel<number>;

const windowMs = 3_600_000;
const carry = { limitCount: 4, limitAgeMs: 40_000 };
const season = { windowMs, periodSamples: 6, intervalMs: 5_000 };

export const seriesImputers: Readonly<Record<string, FillSeries>> = {
  [linearImputer.name]: (maxGapMs, ...rest) => linearFill({ maxGapMs }, ...rest),
  [forwardFillImputer.name]: (maxGapMs, ...rest) => forwardFill({ maxGapMs, ...carry }, ...rest),
  [backwardFillImputer.name]: (maxGapMs, ...rest) => backwardFill({ maxGapMs, ...carry }, ...rest),
  [seasonalImputer.name]: (maxGapMs, ...rest) => seasonalFill({ maxGapMs, ...season }, ...rest),
};

export const tableImputers: Readonly<Record<string, FillTable>> = {
  [meanImputer.name]: (maxGapMs, ...rest) => meanFill({ maxGapMs, windowMs }, ...rest),
  [medianImputer.name]: (maxGapMs, ...rest) => medianFill({ maxGapMs, windowMs }, ...rest),
  [groupImputer.name]: (maxGapMs, timestamps, values, columns, out, filled) => {
    const groups = Int32Array.from(values, (_, i) => (i % columns) % 2);
    const options = { maxGapMs, windowMs, statistic: "median" } as const;
    groupFill(options, timestamps, values, columns, groups, out, filled);
  },
  [regressionImputer.name]: (maxGapMs, ...rest) => regressionFill({ maxGapMs, windowMs }, ...rest),
  [kMeansImputer.name]: (maxGapMs, ...rest) =>
    kMeansFill({ maxGapMs, windowMs, clusters: 3, seed: 1 }, ...rest),
  [softImputeImputer.name]: (maxGapMs, ...rest) =>
    softImputeFill({ maxGapMs, windowMs, shrinkage: 0.05 }, ...rest),
};
