/** One sample of a /metrics page. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The samples of a page in Prometheus's text format; comments and timestamps are left out, a line that is no sample too.
 * Source: Prometheus documentation, "Exposition formats".
 */
export function parseMetricsText(text: string): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (match === null) continue;
    const [, name, labelsText = "", valueText] = match;
    samples.push({ name, labels: parseLabels(labelsText), value: parseValue(valueText) });
  }
  return samples;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

function parseValue(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

/** The sum of a metric over its series; null where there are none: the service has not counted anything yet, or is another version. */
export function totalOf(samples: readonly MetricSample[], name: string): number | null {
  let total: number | null = null;
  for (const sample of samples) if (sample.name === name) total = (total ?? 0) + sample.value;
  return total;
}

/** The sums of a metric by the value of one label. */
export function totalsBy(
  samples: readonly MetricSample[],
  name: string,
  label: string,
): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const key = sample.labels[label] ?? "";
    totals[key] = (totals[key] ?? 0) + sample.value;
  }
  return totals;
}
