import { MillraceError } from "../shared/errors.js";
import type { Labels, Series } from "../shared/frame.js";
import { internSeries } from "../shared/series.js";
import { type Candidate, type Identity, createAdmission } from "./admission.js";
import type { LeftOut } from "./left-out.js";
import { samplesOverLimit } from "./limits.js";
import type { MetricTypes } from "./metric-types.js";
import type { PrometheusClient } from "./prometheus-client.js";
import type { Assignment } from "./templates.js";
import { MIN_WINDOW_MS, type Window } from "./window.js";

/** A series as one of the job's templates found it. */
export interface FoundSeries {
  /** With `__name__`. */
  readonly labels: Labels;
  /** Index of the template among the job's own. */
  readonly template: number;
  /** Of its samples in the window. */
  readonly timestamps: ArrayLike<number>;
}

interface KnownSeries {
  /** As it is in Prometheus. */
  series: Series;
  /** Index of the template that it belongs to among the job's own; -1: an earlier job's. */
  readonly owner: number;
  /** Null where it is another's. */
  readonly candidate: Candidate | null;
  seenAt: number;
}

/** A series that no poll has shown for so long is forgotten: pods come and go. */
const FORGET_AFTER_MS = 600_000;

/**
 * Who the series are, and whose: a series belongs to the first template that matches it, whichever answer shows it first.
 * Answers alone cannot tell, since a sample may be stored between two queries; so Prometheus is asked once for each series
 * that is new. What it is in the frames is decided once, too: the job's rules, then its limits.
 */
export interface SeriesDirectory {
  /**
   * For each of `found` its series and entity in the frames; null where another template owns it, or it is left out.
   * Rejects as the client does, and with PROM_WINDOW_TOO_LARGE where a window that may be shorter holds more samples than
   * the limit.
   */
  identify(found: readonly FoundSeries[], window: Window, signal: AbortSignal): Promise<(Identity | null)[]>;
}

export function createSeriesDirectory(options: {
  client: Pick<PrometheusClient, "series">;
  types: MetricTypes;
  assignment: Assignment;
  now: () => number;
  /** Is told of what is left out after each window; for nobody's ears where it is not given. */
  onLeftOut?: (leftOut: LeftOut) => void;
}): SeriesDirectory {
  const { client, types, now, onLeftOut } = options;
  const { own, earlier, relabel, limits } = options.assignment;
  const known = new Map<string, KnownSeries>();
  const admission = createAdmission(relabel, limits);
  let sweptAt = now();
  let samplesLimitedAt = -Infinity;

  const seriesOf = ({ __name__: metric = "", ...labels }: Labels) =>
    internSeries(metric, labels, types.of(metric));

  /** The keys of all series that the templates match in the window or near it. */
  async function matched(selectors: readonly string[], window: Window, signal: AbortSignal) {
    const sets = await client.series(selectors, window, signal);
    return new Set(sets.map((labels) => seriesOf(labels).key));
  }

  /** For each template that could own one of the new series before its finder: what it matches. */
  async function rivals(newest: number, window: Window, signal: AbortSignal): Promise<Set<string>[]> {
    const earlierSelectors = earlier.flatMap(({ selectors }) => selectors);
    return Promise.all([
      earlierSelectors.length === 0 ? new Set<string>() : matched(earlierSelectors, window, signal),
      ...own.slice(0, newest).map(({ selectors }) => matched(selectors, window, signal)),
    ]);
  }

  /** Finds out whose the new series are, and admits them in the order of their keys, which no answer's order changes. */
  async function learn(
    found: readonly FoundSeries[],
    series: readonly Series[],
    window: Window,
    signal: AbortSignal,
  ): Promise<void> {
    const unknown = found.map((_, i) => i).filter((i) => !known.has(series[i].key));
    if (unknown.length === 0) return;
    const lastFinder = unknown.reduce((last, i) => Math.max(last, found[i].template), 0);
    const matches = await rivals(lastFinder, window, signal);
    for (const i of inKeyOrder(unknown, series)) {
      const { key, type } = series[i];
      if (known.has(key)) continue;
      const { labels, template } = found[i];
      const first = matches.findIndex((keys) => keys.has(key)) - 1;
      const owner = first === -2 ? template : Math.min(first, template);
      const candidate =
        owner === -1 ? null : admission.admit({ key, labels, type, entity: own[owner].entity }, window);
      known.set(key, { series: series[i], owner, candidate, seenAt: now() });
    }
  }

  function forgetOld(at: number): void {
    if (at - sweptAt <= FORGET_AFTER_MS) return;
    sweptAt = at;
    for (const [key, { seenAt, candidate }] of known) {
      if (at - seenAt <= FORGET_AFTER_MS) continue;
      known.delete(key);
      if (candidate !== null) admission.forget(candidate);
    }
  }

  /** Which of the identified would be too many samples at one go. */
  function overLimit(
    found: readonly FoundSeries[],
    identified: readonly (Identity | null)[],
    window: Window,
  ): number[] {
    const counts = found.map(({ timestamps }, i) => (identified[i] === null ? 0 : timestamps.length));
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum <= limits.samples_max) return [];
    if (window.to - window.from > MIN_WINDOW_MS)
      throw new MillraceError(
        "PROM_WINDOW_TOO_LARGE",
        `A window holds ${sum} samples, more than extract.limits.samples_max, ${limits.samples_max}.`,
      );
    samplesLimitedAt = now();
    const series = identified.map((identity) => identity?.series);
    const order = inKeyOrder(
      series.map((_, i) => i).filter((i) => counts[i] > 0),
      series,
    );
    return samplesOverLimit(counts, order, limits.samples_max);
  }

  return {
    identify: async (found, window, signal) => {
      await types.learn(new Set(found.map(({ labels }) => labels["__name__"])), signal);
      const at = now();
      const series = found.map(({ labels }) => seriesOf(labels));
      // Before the wait: another window, read beside this one, must not forget them meanwhile.
      for (const { key } of series) {
        const entry = known.get(key);
        if (entry !== undefined) entry.seenAt = at;
      }
      await learn(found, series, window, signal);

      const entries = series.map((current) => {
        const entry = known.get(current.key)!;
        if (entry.series !== current) retype(entry, current);
        return entry;
      });
      forgetOld(at);
      admission.shown(
        entries.flatMap(({ candidate }) => candidate ?? []),
        window,
      );
      const identified = entries.map(({ owner, candidate }, i) =>
        owner === found[i].template && candidate?.refusal === null ? candidate.identity : null,
      );
      const left = overLimit(found, identified, window);
      for (const i of left) identified[i] = null;
      onLeftOut?.({
        series: admission.leftOut(),
        samples: left.reduce((sum, i) => sum + found[i].timestamps.length, 0),
        isSamplesLimited: at - samplesLimitedAt <= FORGET_AFTER_MS,
      });
      return identified;
    },
  };
}

/** A series whose type has become known is another object, under whatever name. */
function retype(entry: KnownSeries, series: Series): void {
  entry.series = series;
  const identity = entry.candidate?.identity ?? null;
  if (identity === null) return;
  const { metric, labels } = identity.series;
  entry.candidate!.identity = { ...identity, series: internSeries(metric, labels, series.type) };
}

/** Indices of series in the order of their keys, by code units. */
function inKeyOrder(indices: readonly number[], series: readonly (Series | undefined)[]): number[] {
  const keyOf = (i: number) => series[i]?.key ?? "";
  return indices.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
