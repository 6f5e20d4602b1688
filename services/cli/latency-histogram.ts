import type { MetricSample } from "./metrics-text.js";

/** A classic Prometheus histogram: upper bounds ascending, the last one Infinity, and how many observations lie at or below each. */
export interface LatencyHistogram {
  readonly bounds: readonly number[];
  readonly cumulative: readonly number[];
}

/** Quantiles in seconds; null where nothing was observed. */
export interface Latency {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** The histogram of a metric (its name without `_bucket`), its series with these labels added together. Null where there is none. */
export function histogramOf(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): LatencyHistogram | null {
  const byBound = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket`) continue;
    if (Object.entries(labels).some(([label, value]) => sample.labels[label] !== value)) continue;
    const bound = sample.labels["le"] === "+Inf" ? Infinity : Number(sample.labels["le"]);
    byBound.set(bound, (byBound.get(bound) ?? 0) + sample.value);
  }
  if (!byBound.has(Infinity)) return null;
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  return { bounds, cumulative: bounds.map((bound) => byBound.get(bound)!) };
}

/** What was observed between two readings; a service that was restarted between them counts from its start. */
export function histogramSince(
  earlier: LatencyHistogram | null,
  later: LatencyHistogram | null,
): LatencyHistogram | null {
  if (earlier === null || later === null || earlier.bounds.join() !== later.bounds.join()) return later;
  const cumulative = later.cumulative.map((count, i) => count - earlier.cumulative[i]);
  return cumulative.some((count) => count < 0) ? later : { bounds: later.bounds, cumulative };
}

/**
 * The quantile as PromQL's histogram_quantile: linear within its bucket, whose lower bound is 0 for the first; the
 * highest finite bound where it falls beyond. NaN where nothing was observed.
 * Source: Prometheus promql/quantile.go, bucketQuantile.
 */
export function histogramQuantile(quantile: number, { bounds, cumulative }: LatencyHistogram): number {
  const observations = cumulative.at(-1) ?? 0;
  if (observations === 0 || bounds.length < 2) return NaN;
  const rank = quantile * observations;
  const bucket = cumulative.findIndex((count) => count >= rank);
  if (bucket === bounds.length - 1) return bounds[bounds.length - 2];
  const upper = bounds[bucket];
  if (bucket === 0 && upper <= 0) return upper;
  const lower = bucket === 0 ? 0 : bounds[bucket - 1];
  const below = bucket === 0 ? 0 : cumulative[bucket - 1];
  return lower + (upper - lower) * ((rank - below) / (cumulative[bucket] - below));
}

export function latencyOf(histogram: LatencyHistogram | null): Latency {
  const count = histogram?.cumulative.at(-1) ?? 0;
  if (histogram === null || count === 0) return { count: 0, p50: null, p95: null, p99: null };
  return {
    count,
    p50: histogramQuantile(0.5, histogram),
    p95: histogramQuantile(0.95, histogram),
    p99: histogramQuantile(0.99, histogram),
  };
}
