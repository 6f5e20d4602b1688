import { fitBayesianRidge } from "../bayesian-ridge.js";
import { dotProduct } from "../dot-product.js";
import { mean } from "../mean-and-deviation.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { tableColumns } from "./table-columns.js";

/** scikit-learn's defaults. */
const maxRounds = 10;
const tolerance = 1e-3;

export const regressionImputer: ImputerDeclaration<WindowOptions> = {
  name: "regression",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: false,
};

/**
 * Fills each column of a table from all the others by regression, in turn until the fills stay: scikit-learn
 * `IterativeImputer(BayesianRidge(), max_iter=10, tol=1e-3)` (sklearn/impute/_iterative.py), starting from the columns' means
 * and going from the fullest column to the emptiest. A column without a value stays open, and predicts nothing. Arguments and
 * results as of `meanFill`.
 */
export function regressionFill(
  options: WindowOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  const estimates = new Float64Array(values.length).fill(NaN);
  const used = [...tableColumns(values, columns).entries()]
    .map(([column, series]) => ({ column, ...sortRows(series) }))
    .filter(({ present }) => present.length > 0);
  const table = used.map(({ estimate }) => estimate);
  const order = used
    .map(({ missing, present }, index) => ({ index, missing, present }))
    .filter(({ missing }) => missing.length > 0)
    .sort((a, b) => a.missing.length - b.missing.length);
  if (used.length > 1) iterate(table, order, tolerance * largestPresent(used));
  for (const { column, estimate, missing } of used) {
    for (const row of missing) estimates[row * columns + column] = estimate[row];
  }
  fillFrom(estimates, values, fillableCells(timestamps, values, columns, options.maxGapMs), out, filled);
}

interface Column {
  /** The column with its missing rows as they are estimated so far. */
  readonly estimate: Float64Array;
  readonly present: Int32Array;
  readonly missing: Int32Array;
}

function sortRows(series: Float64Array): Column {
  const rows = Int32Array.from(series.keys());
  const present = rows.filter((row) => series[row] - series[row] === 0);
  const missing = rows.filter((row) => series[row] - series[row] !== 0);
  const level = mean(series, 0, series.length);
  for (const row of missing) series[row] = level;
  return { estimate: series, present, missing };
}

function largestPresent(columns: readonly Column[]): number {
  let largest = 0;
  for (const { estimate, present } of columns) {
    for (const row of present) largest = Math.max(largest, Math.abs(estimate[row]));
  }
  return largest;
}

interface Step {
  readonly index: number;
  readonly present: Int32Array;
  readonly missing: Int32Array;
}

/** Until no row's changes sum up to `stop`. Changes `table`. */
function iterate(table: readonly Float64Array[], order: readonly Step[], stop: number): void {
  const changes = new Float64Array(table[0].length);
  for (let round = 0; round < maxRounds; round++) {
    changes.fill(0);
    for (const step of order) estimateColumn(table, step, changes);
    if (changes.reduce((most, change) => Math.max(most, change), 0) < stop) return;
  }
}

function estimateColumn(
  table: readonly Float64Array[],
  { index, present, missing }: Step,
  changes: Float64Array,
): void {
  const target = table[index];
  const others = table.filter((_, other) => other !== index);
  const training = new Float64Array((others.length + 1) * present.length);
  [...others, target].forEach((column, j) => {
    const start = j * present.length;
    for (let i = 0; i < present.length; i++) training[start + i] = column[present[i]];
  });
  const { coefficients, means, targetMean } = fitBayesianRidge(training, present.length, others.length);
  const differences = new Float64Array(others.length);
  for (const row of missing) {
    for (let j = 0; j < others.length; j++) differences[j] = others[j][row] - means[j];
    const estimate = targetMean + dotProduct(coefficients, 0, differences, 0, others.length);
    changes[row] += Math.abs(estimate - target[row]);
    target[row] = estimate;
  }
}
