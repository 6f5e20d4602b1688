import type { Entity, Labels, Series } from "../shared/frame.js";
import { internEntity, internSeries } from "../shared/series.js";
import { entityLabels } from "./frames.js";
import type { MetricTypes } from "./metric-types.js";
import type { PrometheusClient } from "./prometheus-client.js";
import type { Assignment } from "./templates.js";
import type { Window } from "./window.js";

/** A series as one of the job's templates found it. */
export interface FoundSeries {
  /** With `__name__`. */
  readonly labels: Labels;
  /** Index of the template among the job's own. */
  readonly template: number;
}

interface KnownSeries {
  series: Series;
  readonly entity: Entity;
  /** Index of the template that it belongs to among the job's own; -1: an earlier job's. */
  readonly owner: number;
  seenAt: number;
}

/** A series that no poll has shown for so long is forgotten: pods come and go. */
const FORGET_AFTER_MS = 600_000;

/**
 * Who the series are, and whose: a series belongs to the first template that matches it, whichever answer shows it first.
 * Answers alone cannot tell, since a sample may be stored between two queries; so Prometheus is asked once for each series
 * that is new.
 */
export interface SeriesDirectory {
  /** For each of `found` its series and entity, or null where another template owns it. Rejects as the client does. */
  identify(
    found: readonly FoundSeries[],
    window: Window,
    signal: AbortSignal,
  ): Promise<({ series: Series; entity: Entity } | null)[]>;
}

export function createSeriesDirectory(options: {
  client: Pick<PrometheusClient, "series">;
  types: MetricTypes;
  assignment: Assignment;
  now: () => number;
}): SeriesDirectory {
  const { client, types, now } = options;
  const { own, earlier } = options.assignment;
  const known = new Map<string, KnownSeries>();
  let sweptAt = now();

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

  return {
    identify: async (found, window, signal) => {
      await types.learn(new Set(found.map(({ labels }) => labels["__name__"])), signal);
      const at = now();
      const series = found.map(({ labels }) => seriesOf(labels));

      const lastFinder = found.reduce(
        (last, { template }, i) => (known.has(series[i].key) ? last : Math.max(last, template)),
        -1,
      );
      if (lastFinder >= 0) {
        const matches = await rivals(lastFinder, window, signal);
        found.forEach(({ template }, i) => {
          const { key } = series[i];
          if (known.has(key)) return;
          const first = matches.findIndex((keys) => keys.has(key)) - 1;
          const owner = first === -2 ? template : Math.min(first, template);
          const entity = internEntity(entityLabels(series[i].labels, own[Math.max(owner, 0)].entity));
          known.set(key, { series: series[i], entity, owner, seenAt: at });
        });
      }

      const identified = found.map(({ template }, i) => {
        const entry = known.get(series[i].key)!;
        entry.seenAt = at;
        entry.series = series[i];
        return entry.owner === template ? entry : null;
      });
      if (at - sweptAt > FORGET_AFTER_MS) {
        sweptAt = at;
        for (const [key, { seenAt }] of known) if (at - seenAt > FORGET_AFTER_MS) known.delete(key);
      }
      return identified;
    },
  };
}
