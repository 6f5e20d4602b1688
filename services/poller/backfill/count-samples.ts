import type { SourceGap } from "../../shared/backfill-request.js";
import { internEntity } from "../../shared/series.js";
import type { SeriesSamples } from "../prometheus-answer.js";
import type { PrometheusClient } from "../prometheus-client.js";
import type { Window } from "../window.js";
import type { StepCounts } from "./plan-chunks.js";
import { gapsOfSteps, upSelector } from "./source-gaps.js";

type Client = Pick<PrometheusClient, "samples">;

/** How many samples the selectors have in each step that touches the window, added up. Rejects as the client does. */
export async function countSamples(
  client: Client,
  selectors: readonly string[],
  window: Window,
  stepMs: number,
  signal: AbortSignal,
): Promise<StepCounts> {
  const counts = new Map<number, number>();
  const answers = await Promise.all(
    selectors.map((selector) =>
      askSteps(client, `sum(count_over_time(${selector}[${stepMs}ms]))`, window, stepMs, signal),
    ),
  );
  for (const { timestamps, values } of answers.flat())
    timestamps.forEach((end, i) => counts.set(end, (counts.get(end) ?? 0) + values[i]));
  return { stepMs, counts };
}

/**
 * When the targets of the selectors were down, to the step: a step in which one scrape failed counts whole. Rejects as the
 * client does.
 */
export async function findSourceGaps(
  client: Client,
  selectors: readonly string[],
  window: Window,
  stepMs: number,
  signal: AbortSignal,
): Promise<SourceGap[]> {
  const gaps = new Map<string, SourceGap[]>();
  const ups = [...new Set(selectors.map(upSelector))];
  const answers = await Promise.all(
    ups.map((up) => askSteps(client, `(min_over_time(${up}[${stepMs}ms]) == 0)`, window, stepMs, signal)),
  );
  for (const { labels, timestamps } of answers.flat()) {
    const target = internEntity(labels).key;
    gaps.set(target, gapsOfSteps(target, timestamps, stepMs));
  }
  return [...gaps.values()].flat();
}

/**
 * The values of an expression at each multiple of the step that ends a step of the window. It is asked as a subquery, whose
 * times are multiples of its step by definition; what the client appends to make a selector a range is commented out.
 */
async function askSteps(
  client: Client,
  expression: string,
  { from, to }: Window,
  stepMs: number,
  signal: AbortSignal,
): Promise<SeriesSamples[]> {
  const aligned = {
    from: Math.floor(from / stepMs) * stepMs,
    to: Math.ceil(to / stepMs) * stepMs,
  };
  const query = `${expression}[${aligned.to - aligned.from}ms:${stepMs}ms] #`;
  return (await client.samples(query, aligned, signal)).series;
}
