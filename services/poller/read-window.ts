import type { SeriesRun } from "./frames.js";
import type { PrometheusClient } from "./prometheus-client.js";
import type { SentSamples } from "./sent-samples.js";
import type { SeriesDirectory } from "./series-directory.js";
import type { Template } from "./templates.js";
import type { Window } from "./window.js";

export interface ReadWindow {
  /** What was not sent yet. */
  readonly runs: SeriesRun[];
  /** When the first query began by Prometheus's clock, or up to a second before; Infinity where it does not say. */
  readonly serverTime: number;
  /** Samples of native histograms, which were left out. */
  readonly histograms: number;
}

/** Reads all templates of a job over one window, at one time. Rejects as the client does, once all queries have ended. */
export async function readWindow(
  window: Window,
  templates: readonly Template[],
  from: { client: PrometheusClient; directory: SeriesDirectory; sent: SentSamples },
  signal: AbortSignal,
): Promise<ReadWindow> {
  const queries = templates.flatMap(({ selectors }, template) =>
    selectors.map((selector) => ({ template, selector })),
  );
  const settled = await Promise.allSettled(
    queries.map(({ selector }) => from.client.samples(selector, window, signal)),
  );
  const answers = settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });

  const found = answers.flatMap(({ series }, i) =>
    series.map((samples) => ({ ...samples, template: queries[i].template })),
  );
  const identified = await from.directory.identify(found, window, signal);
  const runs: SeriesRun[] = [];
  // Two selectors of a template may show the same series.
  const shown = new Set<string>();
  found.forEach(({ timestamps, values }, i) => {
    const identity = identified[i];
    if (identity === null || shown.has(identity.series.key)) return;
    shown.add(identity.series.key);
    const unsent = from.sent.unsent(identity.series.key, timestamps);
    if (unsent.length === 0) return;
    runs.push({
      entity: identity.entity,
      series: identity.series,
      timestamps: unsent.map((k) => timestamps[k]),
      values: unsent.map((k) => values[k]),
    });
  });
  return {
    runs,
    serverTime: Math.min(...answers.map(({ serverTime }) => serverTime)),
    histograms: answers.reduce((sum, { histograms }) => sum + histograms, 0),
  };
}
