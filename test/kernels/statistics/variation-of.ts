import { meanAndStandardDeviation } from "../../../services/kernels/mean-and-deviation.js";
import { coefficientOfVariation } from "../../../services/kernels/statistics/coefficient-of-variation.js";

/** With the mean and the standard deviation that it needs. */
export function variationOf(values: Float64Array, first: number, end: number): number {
  const both = new Float64Array(2);
  meanAndStandardDeviation(values, first, end, both, 0);
  return coefficientOfVariation(values, first, end, both[0], both[1]);
}
