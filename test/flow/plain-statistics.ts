/**
 * What the rolling statistics are defined as (pandas: mean, std with ddof 1, linear quantiles), as plainly as can be written
 * down. Nulls where too few values are.
 */
export function plainStatistics(values: readonly number[], percentiles: readonly number[]) {
  // As differences from one of them, so that equal values have a deviation of 0.
  const [origin] = values;
  const mean = origin + sum(values.map((value) => value - origin)) / values.length;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  const sorted = values.toSorted((a, b) => a - b);
  return {
    mean: values.length > 0 ? mean : null,
    std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null,
    percentiles: percentiles.map((percentile) => quantile(sorted, percentile / 100)),
  };
}

function quantile(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below];
  return position === below ? low : low + (sorted[below + 1] - low) * (position - below);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
