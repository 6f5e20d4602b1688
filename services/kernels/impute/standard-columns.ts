import { meanAndStandardDeviation } from "../mean-and-deviation.js";
import { tableColumns } from "./table-columns.js";

/** A table whose columns have mean 0 and deviation 1 (ddof 1), NaN where there is no value, and the way back. */
export interface StandardColumns {
  readonly standard: Float64Array;
  readonly means: Float64Array;
  /** 1 for a column that does not vary. */
  readonly deviations: Float64Array;
}

/** Of a row-major table. Without it, the column of the largest numbers would be all that distances see. */
export function standardColumns(values: Float64Array, columns: number): StandardColumns {
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  const both = new Float64Array(2);
  for (const [column, series] of tableColumns(values, columns).entries()) {
    meanAndStandardDeviation(series, 0, series.length, both, 0);
    means[column] = both[0];
    deviations[column] = both[1] > 0 && both[1] < Infinity ? both[1] : 1;
  }
  const standard = values.map((value, i) => {
    const column = i % columns;
    const scaled = (value - means[column]) / deviations[column];
    return scaled - scaled === 0 ? scaled : NaN;
  });
  return { standard, means, deviations };
}

/** The estimates in the columns' own units; NaN in columns without a value. */
export function ownUnits(estimates: Float64Array, { means, deviations }: StandardColumns): Float64Array {
  const columns = means.length;
  return estimates.map((estimate, i) => means[i % columns] + deviations[i % columns] * estimate);
}
