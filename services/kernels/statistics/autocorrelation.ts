/**
 * Autocorrelation of the finite `values[first ... end - 1]` with themselves `lag` samples later: tsfresh's
 * `autocorrelation`, the sum of the products of the distances from the mean ÷ ((n − lag) σ²). `roughMean`,
 * `offset` and `squares` as of `centralSums`. NaN where there are not more samples than `lag`, and for
 * constants (tsfresh: where the variance is below 1e-8, whatever the unit).
 */
export function autocorrelation(
  values: Float64Array,
  first: number,
  end: number,
  lag: number,
  roughMean: number,
  offset: number,
  squares: number,
): number {
  const count = end - first;
  if (count <= lag || squares === 0) return NaN;
  let products = 0;
  for (let i = first; i + lag < end; i++)
    products += (values[i] - roughMean - offset) * (values[i + lag] - roughMean - offset);
  return products / ((count - lag) * (squares / count));
}
