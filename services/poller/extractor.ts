import { setTimeout as sleep } from "node:timers/promises";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import { joinedSeries } from "./completeness/held-samples.js";
import type { InstantValue, MetricFamily, SeriesSamples } from "./prometheus-answer.js";
import type { PrometheusClient } from "./prometheus-client.js";
import { type Window, nextPollAt } from "./window.js";

/** What one extraction came to. It never rejects for Prometheus's sake: what went wrong is in it. */
export interface Extraction<Data> {
  /** Null where it failed. */
  readonly data: Data | null;
  readonly metadata: {
    /** What was asked: PromQL, a selector, or a metric's name. */
    readonly query: string;
    /** Of the answer. */
    readonly series: number;
    readonly samples: number;
    readonly tookMs: number;
  };
  /** When it was asked, milliseconds since the epoch. */
  readonly extractedAt: number;
  /** The name of the Prometheus. */
  readonly source: string;
  readonly success: boolean;
  readonly error: { readonly code: string; readonly message: string; readonly action: string } | null;
}

export interface MetricDescription extends MetricFamily {
  readonly metric: string;
  /** How many series it has, and how many values each of its labels. */
  readonly series: number;
  readonly labels: Readonly<Record<string, number>>;
}

/** Both ends included, milliseconds since the epoch. */
export interface Steps extends Window {
  readonly stepMs: number;
}

/** What a Prometheus can be asked for. All but `stream` resolve to one Extraction; they reject with the signal's reason only. */
export interface Extractor {
  /** The values of an expression at `from`, one step later, and so on up to `to`; of any length. */
  range(query: string, steps: Steps): Promise<Extraction<SeriesSamples[]>>;
  /** The values of an expression at a time. */
  instant(query: string, atMs: number): Promise<Extraction<InstantValue[]>>;
  /** The samples of a selector as they are stored, in (from, to]. */
  rawSamples(selector: string, window: Window): Promise<Extraction<SeriesSamples[]>>;
  /** Type, help and unit of a metric, and the labels and number of its series in a window. */
  metadata(metric: string, window: Window): Promise<Extraction<MetricDescription>>;
  /** Whether Prometheus answers, and queries may be asked. */
  validate(): Promise<Extraction<{ readonly version: string }>>;
  /**
   * Hands the values of an expression on at each multiple of the interval, until the signal: one at a time, without drift; a
   * time that passes while one is under way is left out.
   */
  stream(
    query: string,
    intervalMs: number,
    callback: (extraction: Extraction<InstantValue[]>) => void | Promise<void>,
  ): Promise<void>;
}

/** Prometheus gives no more values of a series at a time. */
const POINTS_MAX = 11_000;
/** What one extraction may hold of a series: 100 queries. */
const STEPS_MAX = 100 * POINTS_MAX;

export function createExtractor(from: {
  client: PrometheusClient;
  source: string;
  signal: AbortSignal;
  now: () => number;
}): Extractor {
  const { client, source, signal, now } = from;

  async function extraction<Data>(
    query: string,
    ask: () => Promise<Data>,
    sizeOf: (data: Data) => { series: number; samples: number },
  ): Promise<Extraction<Data>> {
    const extractedAt = now();
    const result = (data: Data | null, error: Extraction<Data>["error"]): Extraction<Data> => ({
      data,
      metadata: {
        query,
        ...(data === null ? { series: 0, samples: 0 } : sizeOf(data)),
        tookMs: now() - extractedAt,
      },
      extractedAt,
      source,
      success: error === null,
      error,
    });
    try {
      return result(await ask(), null);
    } catch (thrown) {
      signal.throwIfAborted();
      const { code, message, action } = asMillraceError(thrown);
      return result(null, { code, message, action });
    }
  }

  const instant = (query: string, atMs: number) =>
    extraction(
      query,
      () => client.instant(query, atMs, signal),
      ({ length }) => ({ series: length, samples: length }),
    );

  return {
    range: (query, steps) => extraction(query, () => inPieces(client, query, steps, signal), sizeOfSeries),
    instant,
    rawSamples: (selector, window) =>
      extraction(selector, async () => (await client.samples(selector, window, signal)).series, sizeOfSeries),
    metadata: (metric, window) =>
      extraction(
        metric,
        () => describe(client, metric, window, signal),
        ({ series }) => ({ series, samples: 0 }),
      ),
    validate: () =>
      extraction(
        "vector(1)",
        async () => {
          const version = await client.version(signal);
          await client.instant("vector(1)", now(), signal);
          return { version };
        },
        () => ({ series: 1, samples: 1 }),
      ),
    stream: async (query, intervalMs, callback) => {
      try {
        while (!signal.aborted) {
          const at = nextPollAt(now(), intervalMs);
          await sleep(at - now(), undefined, { signal });
          await callback(await instant(query, at));
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

function sizeOfSeries(data: readonly SeriesSamples[]): { series: number; samples: number } {
  return { series: data.length, samples: data.reduce((sum, { timestamps }) => sum + timestamps.length, 0) };
}

/** As many queries as the limit of values asks for, one after the other; more where one is too much for Prometheus. */
async function inPieces(
  client: PrometheusClient,
  query: string,
  { from, to, stepMs }: Steps,
  signal: AbortSignal,
): Promise<SeriesSamples[]> {
  if ((to - from) / stepMs >= STEPS_MAX)
    throw new MillraceError(
      "USAGE_INVALID",
      `From one end to the other there are more than ${STEPS_MAX} steps: a longer step, or a shorter range.`,
    );
  let series: SeriesSamples[] = [];
  let points = POINTS_MAX;
  for (let at = from; at <= to;) {
    const last = Math.min(at + (points - 1) * stepMs, at + Math.floor((to - at) / stepMs) * stepMs);
    try {
      // The client's windows do not hold their left edge.
      const piece = await client.range(query, { from: at - stepMs, to: last }, stepMs, signal);
      series = series.length === 0 ? piece : joinedSeries(series, piece);
      at = last + stepMs;
    } catch (error) {
      const isTooLarge = error instanceof MillraceError && error.code === "PROM_WINDOW_TOO_LARGE";
      if (!isTooLarge || last === at) throw error;
      points = Math.ceil((last - at) / stepMs / 2);
    }
  }
  return series;
}

async function describe(
  client: PrometheusClient,
  metric: string,
  window: Window,
  signal: AbortSignal,
): Promise<MetricDescription> {
  const family = (await client.family(metric, signal)) ?? { type: "unknown", help: "", unit: "" };
  const sets = await client.series([`{__name__=${JSON.stringify(metric)}}`], window, signal);
  const values = new Map<string, Set<string>>();
  for (const [name, value] of sets.flatMap((labels) => Object.entries(labels))) {
    if (name === "__name__") continue;
    const known = values.get(name);
    if (known === undefined) values.set(name, new Set([value]));
    else known.add(value);
  }
  const names = [...values.keys()].sort();
  return {
    metric,
    ...family,
    series: sets.length,
    labels: Object.fromEntries(names.map((name) => [name, values.get(name)!.size])),
  };
}
