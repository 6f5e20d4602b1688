import { meanAndDeviationOfSums, slopeOfSums } from "../../services/kernels/window-moments.js";
import { openWindowSums, sumCells, sumWindows } from "../../services/kernels/window-sums.js";

/** Of the window of the newest sample, of which all samples are given: by nothing but these. */
export function momentsAlone(timestamps: Float64Array, values: Float64Array, windowMs: number) {
  const end = values.length;
  const sums = new Float64Array(sumCells);
  sumWindows(openWindowSums([windowMs], true), timestamps, values, 0, end, sums);
  const both = new Float64Array(2);
  meanAndDeviationOfSums(sums, 0, values, 0, end, both, 0);
  const slope = slopeOfSums(sums, 0, windowMs, timestamps, values, 0, end);
  return { mean: both[0], deviation: both[1], slope };
}
