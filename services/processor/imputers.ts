import { backwardFill, backwardFillImputer } from "../kernels/impute/backward-fill.js";
import type { ImputerDeclaration, SeriesKernel, TableKernel } from "../kernels/impute/declaration.js";
import { forwardFill, forwardFillImputer } from "../kernels/impute/forward-fill.js";
import { groupFill, groupImputer } from "../kernels/impute/group-fill.js";
import { kMeansFill, kMeansImputer } from "../kernels/impute/k-means-fill.js";
import { linearFill, linearImputer } from "../kernels/impute/linear.js";
import { meanFill, meanImputer, median, medianFill, medianImputer } from "../kernels/impute/mean-median.js";
import { regressionFill, regressionImputer } from "../kernels/impute/regression.js";
import { seasonalFill, seasonalImputer } from "../kernels/impute/seasonal-fill.js";
import { softImputeFill, softImputeImputer } from "../kernels/impute/soft-impute.js";
import type { Config } from "../shared/config-schema.js";
import type { ImputationMethod, TimeGroup } from "../shared/imputation-methods.js";
import { type ColumnsOf, anySeries, sameLabels, selectedSeries } from "./imputation-columns.js";
import { type Estimate, onnxImputer } from "./onnx-estimate.js";

/** A method of filling gaps as it is configured. */
export interface Imputer {
  readonly declaration: Pick<ImputerDeclaration<never>, "name" | "needsFarEnd">;
  /** As declared, with these options. */
  readonly lookbackMs: number;
  /** Which other series of the entity it looks at; null where at none. */
  readonly columnsOf: ColumnsOf | null;
  readonly fill: Fill;
}

/**
 * Estimates of a table of the samples before a gap, row-major, NaN where nothing is: a row a time, a column a series. The rows
 * of the gap are `from ... to - 1`, and behind them stands, for a method that needs the far end, that. What is not finite of
 * the gap's rows stays open; other rows do not matter.
 */
export type Fill = (
  timestamps: Float64Array,
  table: Float64Array,
  columns: number,
  gap: { readonly from: number; readonly to: number },
) => Float64Array;

export type ImputationConfig = Config["transform"]["imputation"];

const DEFAULT_WINDOW_MS = 3_600_000;
const DEFAULT_SEASON_SAMPLES = 60;
const DEFAULT_SERIES_MAX = 16;
const DEFAULT_CLUSTERS = 8;
const DEFAULT_SHRINKAGE = 0.05;
/** Whether a gap is too long is decided before. */
const ANY_GAP = { maxGapMs: Infinity };

/** `openModel` gives what an ONNX model estimates of tables with so many columns. */
export function imputerOf(
  config: ImputationConfig & { method: ImputationMethod },
  openModel: (file: string, columns: number) => Estimate,
): Imputer {
  return imputers[config.method](config, openModel);
}

const imputers: Record<
  ImputationMethod,
  (config: ImputationConfig, openModel: (file: string, columns: number) => Estimate) => Imputer
> = {
  linear_interpolation: () => ofSeries(linearImputer, ANY_GAP, linearFill),
  forward_fill: (config) => ofSeries(forwardFillImputer, carryOptions(config), forwardFill),
  backward_fill: (config) => ofSeries(backwardFillImputer, carryOptions(config), backwardFill),
  seasonal,
  mean: (config) =>
    isGrouped(config) ? grouped(config, "mean") : ofTable(meanImputer, windowOptions(config), meanFill),
  median: (config) =>
    isGrouped(config) ? grouped(config, "median") : ofTable(medianImputer, windowOptions(config), medianFill),
  regression: (config) => across(config, regressionImputer, windowOptions(config), regressionFill),
  kmeans: (config) => {
    const options = { ...windowOptions(config), clusters: config.clusters ?? DEFAULT_CLUSTERS, seed: 0 };
    // Law L2: the draws are seeded by the gap's time.
    return across(config, kMeansImputer, options, kMeansFill, (seed) => ({ ...options, seed }));
  },
  matrix_factorization: (config) => {
    const options = { ...windowOptions(config), shrinkage: config.shrinkage ?? DEFAULT_SHRINKAGE };
    return across(config, softImputeImputer, options, softImputeFill);
  },
  onnx: (config, openModel) => {
    const { model_path, model_columns } = config;
    if (model_path === undefined || model_columns === undefined)
      throw new Error("a configuration that was not checked");
    const estimate = openModel(model_path, model_columns.length);
    const fill: Fill = (_, table) => estimate(table);
    return imputer(onnxImputer, windowOptions(config), selectedSeries(model_columns), fill);
  },
};

function imputer<Options>(
  declaration: ImputerDeclaration<Options>,
  options: Options,
  columnsOf: ColumnsOf | null,
  fill: Fill,
): Imputer {
  return { declaration, lookbackMs: declaration.lookbackMs(options), columnsOf, fill };
}

function ofSeries<Options>(
  declaration: ImputerDeclaration<Options>,
  options: Options,
  kernel: SeriesKernel<Options>,
): Imputer {
  return imputer(declaration, options, null, (timestamps, values) =>
    filledSeries(kernel, options, timestamps, values),
  );
}

function filledSeries<Options>(
  kernel: SeriesKernel<Options>,
  options: Options,
  timestamps: Float64Array,
  values: Float64Array,
): Float64Array {
  const out = new Float64Array(values.length);
  kernel(options, timestamps, values, 0, values.length, out, new Uint8Array(values.length), 0);
  return out;
}

function ofTable<Options>(
  declaration: ImputerDeclaration<Options>,
  options: Options,
  kernel: TableKernel<Options>,
): Imputer {
  return imputer(declaration, options, null, (timestamps, table, columns) =>
    filledTable((...rest) => kernel(options, ...rest), timestamps, table, columns),
  );
}

function filledTable(
  kernel: (
    timestamps: Float64Array,
    values: Float64Array,
    columns: number,
    out: Float64Array,
    filled: Uint8Array,
  ) => void,
  timestamps: Float64Array,
  table: Float64Array,
  columns: number,
): Float64Array {
  const out = new Float64Array(table.length);
  kernel(timestamps, table, columns, out, new Uint8Array(table.length));
  return out;
}

function windowOptions({ window }: ImputationConfig) {
  return { ...ANY_GAP, windowMs: window?.ms ?? DEFAULT_WINDOW_MS };
}

function carryOptions({ limit_samples, limit_age }: ImputationConfig) {
  return { ...ANY_GAP, limitCount: limit_samples ?? Infinity, limitAgeMs: limit_age ?? Infinity };
}

/**
 * From what the other series were meanwhile. A time of which nothing is known of any series is as the one before it: the kernels
 * would say the mean of the window, which a series that goes on from where it was is mostly further from.
 */
function across<Options>(
  config: ImputationConfig,
  declaration: ImputerDeclaration<Options>,
  options: Options,
  kernel: TableKernel<Options>,
  optionsAt: (nearMs: number) => Options = () => options,
): Imputer {
  const columnsOf = anySeries(config.series_max ?? DEFAULT_SERIES_MAX);
  return imputer(declaration, options, columnsOf, (timestamps, table, columns, { from, to }) => {
    const at = optionsAt(timestamps[from - 1]);
    const estimates = filledTable((...rest) => kernel(at, ...rest), timestamps, table, columns);
    for (let row = from; row < to; row++) {
      const isUnknown = table.subarray(row * columns, (row + 1) * columns).every(Number.isNaN);
      if (isUnknown) estimates.copyWithin(row * columns, (row - 1) * columns, row * columns);
    }
    return estimates;
  });
}

function isGrouped({ group_by, group_time }: ImputationConfig): boolean {
  return group_by !== undefined || group_time !== undefined;
}

/** Groups are the series that stand in the table, which share their labels, and within it the times. */
function grouped(config: ImputationConfig, statistic: "mean" | "median"): Imputer {
  const { group_by, group_time, series_max } = config;
  const options = { ...windowOptions(config), statistic };
  const columnsOf = group_by === undefined ? null : sameLabels(group_by, series_max ?? DEFAULT_SERIES_MAX);
  const groupAt = group_time === undefined ? () => 0 : timeGroups[group_time];
  return imputer(groupImputer, options, columnsOf, (timestamps, table, columns) => {
    const groups = Int32Array.from(table, (_, cell) => groupAt(timestamps[Math.floor(cell / columns)]));
    return filledTable(
      (times, values, width, ...out) => groupFill(options, times, values, width, groups, ...out),
      timestamps,
      table,
      columns,
    );
  });
}

/** By the clock of UTC. */
const timeGroups: Record<TimeGroup, (ms: number) => number> = {
  minute: (ms) => new Date(ms).getUTCMinutes(),
  hour: (ms) => new Date(ms).getUTCHours(),
};

/** Phases are counted from the near end, in the middle of its interval: scrapes that come a little early or late keep theirs. */
function seasonal(config: ImputationConfig): Imputer {
  const { interval, season_samples } = config;
  const periodSamples = season_samples ?? DEFAULT_SEASON_SAMPLES;
  const fill: Fill = (timestamps, values, _, { from, to }) => {
    const intervalMs = interval === "auto" ? medianDistance(timestamps, from, to) : interval;
    const start = timestamps[from - 1] - intervalMs / 2;
    const options = { ...windowOptions(config), periodSamples, intervalMs };
    return filledSeries(
      seasonalFill,
      options,
      timestamps.map((ms) => ms - start),
      values,
    );
  };
  return imputer(seasonalImputer, { ...windowOptions(config), periodSamples, intervalMs: 0 }, null, fill);
}

/** Of the samples up to the gap; that of the gap, which ends at `to`, where there is only one. */
function medianDistance(timestamps: Float64Array, from: number, to: number): number {
  if (from < 2) return timestamps[to] - timestamps[from - 1];
  const distances = timestamps.subarray(1, from).map((ms, i) => ms - timestamps[i]);
  return median(distances, 0, distances.length);
}
