import { type LabelMatcher, parseSelector, selectorText } from "../../shared/config-selector.js";
import { internSeries } from "../../shared/series.js";
import type { PrometheusClient } from "../prometheus-client.js";
import type { Window } from "../window.js";

export type CountingClient = Pick<PrometheusClient, "samples" | "instant" | "labelValues">;

/** How Prometheus counts: whether a range selector holds its left edge, as it did before 3.0. */
export interface RangeEdges {
  readonly left: boolean;
}

/** Asks Prometheus itself: a version says nothing of who else speaks its API. Rejects as the client does. */
export async function askRangeEdges(client: CountingClient, signal: AbortSignal): Promise<RangeEdges> {
  const counted = await client.instant("count_over_time(vector(1)[1ms:1ms])", 1_000_000, signal);
  return { left: counted.some(({ value }) => value === 2) };
}

/** Metrics that one query counts: enough that there are few queries, and few enough that none is long. */
const METRICS_A_QUERY = 100;

/**
 * How many samples of each metric Prometheus has in a window, native histograms among them. Each metric is counted by
 * itself: a function over a range drops the metric's name, and Prometheus refuses what is then the same series twice.
 * Rejects as the client does.
 */
export async function countByMetric(
  client: CountingClient,
  selector: string,
  window: Window,
  edges: RangeEdges,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const matchers = matchersOf(selector);
  const name = matchers.find(({ label, operator }) => label === "__name__" && operator === "=")?.value;
  const metrics =
    name === undefined ? await client.labelValues("__name__", selector, window, signal) : [name];
  const counts = new Map<string, number>();
  for (let first = 0; first < metrics.length; first += METRICS_A_QUERY) {
    const some = metrics.slice(first, first + METRICS_A_QUERY);
    const terms = some.map((metric, i) => {
      const count = `sum(count_over_time(${rangeOf(ofMetric(matchers, metric), window, edges)}))`;
      return `label_replace(${count},"metric","${i}","","")`;
    });
    for (const { labels, value } of await client.instant(terms.join(" or "), window.to, signal))
      counts.set(some[Number(labels["metric"])], value);
  }
  return counts;
}

/** How many samples each series of one metric has in a window: by the series' canonical text. Rejects as the client does. */
export async function countBySeries(
  client: CountingClient,
  selector: string,
  metric: string,
  window: Window,
  edges: RangeEdges,
  signal: AbortSignal,
): Promise<Map<string, { selector: string; count: number }>> {
  const range = rangeOf(ofMetric(matchersOf(selector), metric), window, edges);
  const counted = await client.instant(`count_over_time(${range})`, window.to, signal);
  return new Map(
    counted.map(({ labels, value }) => {
      const exact = Object.entries({ __name__: metric, ...labels }).map(([label, text]) => ({
        label,
        operator: "=" as const,
        value: text,
      }));
      const key = internSeries(metric, labels, "unknown").key;
      return [key, { selector: selectorText(exact), count: value }];
    }),
  );
}

function matchersOf(selector: string): LabelMatcher[] {
  const matchers = parseSelector(selector);
  if (typeof matchers === "string") throw new Error(matchers);
  return matchers;
}

function ofMetric(matchers: readonly LabelMatcher[], metric: string): string {
  const others = matchers.filter(
    ({ label, operator, value }) => label !== "__name__" || operator !== "=" || value !== metric,
  );
  return selectorText([{ label: "__name__", operator: "=", value: metric }, ...others]);
}

/** (from, to] at `to`, wherever the range's left edge belongs. */
function rangeOf(selector: string, { from, to }: Window, { left }: RangeEdges): string {
  return `${selector}[${to - from - (left ? 1 : 0)}ms]`;
}
