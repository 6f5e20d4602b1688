import type { Complete } from "./completeness/complete-matrix.js";
import type { SeriesRun } from "./frames.js";
import type { Matrix } from "./prometheus-answer.js";
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
  /** What the comparison with Prometheus's own counts came to; null where nothing was compared. */
  readonly comparison: Comparison | null;
}

export interface Comparison {
  /** Milliseconds since the epoch: the window's samples up to here were compared. */
  readonly until: number;
  readonly recovered: number;
  readonly missing: number;
  /** The canonical text of a series that misses something. */
  readonly example: string | null;
}

export interface Comparing {
  readonly complete: Complete;
  /** Up to where nothing is appended any more, given when the first query began; null: nothing is compared this time. */
  readonly settledUntil: (serverTime: number) => number | null;
}

/**
 * Reads all templates of a job over one window, at one time, and compares where that is wanted. Rejects as the client does,
 * once all queries have ended.
 */
export async function readWindow(
  window: Window,
  templates: readonly Template[],
  from: { client: PrometheusClient; directory: SeriesDirectory; sent: SentSamples; comparing?: Comparing },
  signal: AbortSignal,
): Promise<ReadWindow> {
  const queries = templates.flatMap(({ selectors }, template) =>
    selectors.map((selector) => ({ template, selector })),
  );
  const read = await allOf(queries.map(({ selector }) => from.client.samples(selector, window, signal)));
  const serverTime = Math.min(...read.map((answer) => answer.serverTime));
  const until = from.comparing?.settledUntil(serverTime) ?? null;
  const selectors = queries.map(({ selector }) => selector);
  const { answers, comparison } =
    until === null || from.comparing === undefined
      ? { answers: read, comparison: null }
      : await compare(selectors, read, { from: window.from, to: until }, from.comparing.complete, signal);

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
    serverTime,
    histograms: answers.flatMap(({ histograms }) => histograms).reduce((n, s) => n + s.timestamps.length, 0),
    comparison,
  };
}

/** The results of what runs side by side; the first rejection, but only once all have ended. */
async function allOf<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

async function compare(
  selectors: readonly string[],
  answers: readonly Matrix[],
  settled: Window,
  complete: Complete,
  signal: AbortSignal,
): Promise<{ answers: Matrix[]; comparison: Comparison }> {
  const completed = await allOf(answers.map((answer, i) => complete(selectors[i], answer, settled, signal)));
  const sum = (what: "recovered" | "missing") => completed.reduce((total, one) => total + one[what], 0);
  return {
    answers: completed.map(({ matrix }) => matrix),
    comparison: {
      until: settled.to,
      recovered: sum("recovered"),
      missing: sum("missing"),
      example: completed.find(({ example }) => example !== null)?.example ?? null,
    },
  };
}
