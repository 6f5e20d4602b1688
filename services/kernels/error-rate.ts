import { throughput } from "./throughput.js";

/**
 * Errors per hundred requests: Σ rates of `errors` ÷ Σ rates of `all` × 100, NaN entries being counters without
 * a rate. NaN where there is no request (0 ÷ 0), or no rate of `all`. No rate of `errors` is no error: the
 * counter of a first error appears with it; in Prometheus, `(sum(rate(errors)) or vector(0)) /
 * sum(rate(all)) * 100`.
 */
export function errorRate(errors: Float64Array, all: Float64Array): number {
  const failed = throughput(errors);
  const total = throughput(all);
  const share = (Number.isNaN(failed) ? 0 : failed) / total;
  return share - share === 0 ? share * 100 : NaN;
}
