import type { SourceGap } from "../../shared/backfill-request.js";
import { internEntity } from "../../shared/series.js";
import { countQueries } from "../completeness/count-samples.js";
import type { PrometheusClient } from "../prometheus-client.js";
import type { Window } from "../window.js";
import type { StepCounts } from "./plan-chunks.js";
import { gapsOfSteps, upSelector } from "./source-gaps.js";

type Client = Pick<PrometheusClient, "range" | "labelValues">;

/** How many samples the selectors have in each step that touches the window, added up. Rejects as the client does. */
export async function countSamples(
  client: Client,
  selectors: readonly string[],
  window: Window,
  stepMs: number,
  signal: AbortSignal,
): Promise<StepCounts> {
  const steps = wholeSteps(window, stepMs);
  const counts = new Map<number, number>();
  const countOne = async (selector: string) => {
    for (const { query } of await countQueries(client, selector, steps, stepMs, signal))
      for (const { timestamps, values } of await client.range(`sum(${query})`, steps, stepMs, signal))
        timestamps.forEach((end, i) => counts.set(end, (counts.get(end) ?? 0) + values[i]));
  };
  await Promise.all(selectors.map(countOne));
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
    ups.map((up) =>
      client.range(`min_over_time(${up}[${stepMs}ms]) == 0`, wholeSteps(window, stepMs), stepMs, signal),
    ),
  );
  for (const { labels, timestamps } of answers.flat()) {
    const target = internEntity(labels).key;
    gaps.set(target, gapsOfSteps(target, timestamps, stepMs));
  }
  return [...gaps.values()].flat();
}

/** The window in multiples of the step that hold it. */
function wholeSteps({ from, to }: Window, stepMs: number): Window {
  return { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs };
}
