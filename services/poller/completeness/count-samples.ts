import { type LabelMatcher, matchersOf, selectorText } from "../../shared/config-selector.js";
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
  const counts = new Map<string, number>();
  const rangeMs = rangeOf(window, edges);
  for (const { metrics, query } of await countQueries(client, selector, window, rangeMs, signal)) {
    for (const { labels, value } of await client.instant(query, window.to, signal))
      counts.set(metrics[Number(labels["metric"])], value);
  }
  return counts;
}

/**
 * Expressions for how many samples each metric that there is in a window has over the last `rangeMs`; the label `metric` is the
 * metric's place among those of the expression. Rejects as the client does.
 */
export async function countQueries(
  client: Pick<PrometheusClient, "labelValues">,
  selector: string,
  window: Window,
  rangeMs: number,
  signal: AbortSignal,
): Promise<{ metrics: string[]; query: string }[]> {
  const matchers = matchersOf(selector);
  const name = matchers.find(({ label, operator }) => label === "__name__" && operator === "=")?.value;
  const all = name === undefined ? await client.labelValues("__name__", selector, window, signal) : [name];
  const queries: { metrics: string[]; query: string }[] = [];
  for (let first = 0; first < all.length; first += METRICS_A_QUERY) {
    const metrics = all.slice(first, first + METRICS_A_QUERY);
    const terms = metrics.map((metric, i) => {
      const count = `sum(count_over_time(${ofMetric(matchers, metric)}[${rangeMs}ms]))`;
      return `label_replace(${count},"metric","${i}","","")`;
    });
    queries.push({ metrics, query: terms.join(" or ") });
  }
  return queries;
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
  const range = `${ofMetric(matchersOf(selector), metric)}[${rangeOf(window, edges)}ms]`;
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

function ofMetric(matchers: readonly LabelMatcher[], metric: string): string {
  const others = matchers.filter(
    ({ label, operator, value }) => label !== "__name__" || operator !== "=" || value !== metric,
  );
  return selectorText([{ label: "__name__", operator: "=", value: metric }, ...others]);
}

/** How long a range is that holds (from, to] at `to`, wherever its left edge belongs. */
function rangeOf({ from, to }: Window, { left }: RangeEdges): number {
  return to - from - (left ? 1 : 0);
}
