import { compensatedSum } from "./sum.js";

/**
 * Throughput and request rate: the sum of the per-second rates of several counters, of those that have one
 * (NaN: none); NaN where none has. First the rates, then the sum: `sum(rate(…))` in Prometheus, which adds in
 * twice the precision as well. In the order given: the caller sorts the series.
 */
export function throughput(rates: Float64Array): number {
  let isAny = false;
  let isAll = true;
  for (let i = 0; i < rates.length; i++) {
    if (rates[i] - rates[i] === 0) isAny = true;
    else isAll = false;
  }
  if (!isAny) return NaN;
  const finite = isAll ? rates : rates.filter((rate) => rate - rate === 0);
  return compensatedSum(finite, 0, finite.length);
}
