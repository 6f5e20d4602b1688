import type { Kafka } from "kafkajs";
import type { PrometheusClient } from "../poller/prometheus-client.js";
import type { Relabelling } from "../poller/relabel.js";
import { MIN_WINDOW_MS, type Window, longerLimit, nextWindow, shorterLimit } from "../poller/window.js";
import { compileMatch } from "../shared/series-match.js";
import { matchProblem } from "../shared/config-selector.js";
import { MillraceError } from "../shared/errors.js";
import { type FrameReader, createRawReader, isForeign, schemaIdOf } from "../shared/frame-codec.js";
import type { Labels, RawFrame, Series } from "../shared/frame.js";
import { readTopic } from "../shared/kafka.js";
import type { Schemas } from "../shared/schema-registry.js";
import { internSeries } from "../shared/series.js";
import type { ReadSide } from "./verify-compare.js";

/** As long as the windows of a job that catches up. */
const SLICE_MS = 300_000;

/** A selector of a job, and what the job's rules make of its series. */
export interface Ask {
  readonly selector: string;
  readonly relabel: Relabelling;
  readonly isRelabelled: boolean;
}

/**
 * What a Prometheus shows, each series once and under its name in the frames: by the rules of the first that shows it, whose
 * it is. Rejects as the client does.
 */
export function prometheusSide(
  client: Pick<PrometheusClient, "samples">,
  asks: readonly Ask[],
  onRead: (toMs: number) => void,
  signal: AbortSignal,
): ReadSide {
  let limitMs = SLICE_MS;
  return async ({ from, to }, take) => {
    for (let at = from, slice; (slice = nextWindow(at, to, limitMs)) !== null;) {
      const answers = await slicesOf(client, asks, slice, signal);
      if (answers === null) {
        limitMs = shorterLimit(slice);
        continue;
      }
      const shown = new Set<string>();
      answers.forEach(({ series }, i) => {
        for (const { labels, timestamps, values } of series) {
          const key = keyOf(labels);
          const kept = shown.has(key) ? null : asks[i].relabel(labels);
          shown.add(key);
          if (kept !== null) take(keyOf(kept), timestamps, values);
        }
      });
      at = slice.to;
      limitMs = longerLimit(limitMs, SLICE_MS);
      onRead(at);
    }
  };
}

function keyOf({ __name__: metric = "", ...labels }: Labels): string {
  return internSeries(metric, labels, "unknown").key;
}

/** Null where the slice is too much for Prometheus, and may be shorter. */
async function slicesOf(
  client: Pick<PrometheusClient, "samples">,
  asks: readonly Ask[],
  slice: Window,
  signal: AbortSignal,
) {
  const settled = await Promise.allSettled(
    asks.map(({ selector }) => client.samples(selector, slice, signal)),
  );
  const failed = settled.find((outcome) => outcome.status === "rejected");
  if (failed === undefined)
    return settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const isTooLarge = failed.reason instanceof MillraceError && failed.reason.code === "PROM_WINDOW_TOO_LARGE";
  if (isTooLarge && slice.to - slice.from > MIN_WINDOW_MS) return null;
  throw failed.reason;
}

/**
 * What metrics.raw holds of a source, committed messages only, of the series that a selector matches. Stale markers are no
 * samples. Rejects as readTopic does.
 */
export function kafkaSide(
  from: { kafka: Kafka; topic: string; schemas: Schemas; source: string },
  isWanted: (series: Series) => boolean,
  signal: AbortSignal,
): ReadSide {
  const reader = createRawReader(from.schemas);
  const prepared = new Set<number>();
  return async ({ from: fromMs, to }, take) => {
    const takeValue = (value: Buffer) => {
      const frame = readOurs(reader, value);
      if (frame?.source === from.source) takeFrame(frame, isWanted, take);
    };
    /** Messages of schemas that are being looked up: order does not matter. */
    const waiting = new Map<number, Buffer[]>();
    const lookups: Promise<void>[] = [];
    const lookUp = async (id: number, first: Buffer) => {
      waiting.set(id, [first]);
      await reader.prepare([first]);
      prepared.add(id);
      for (const value of waiting.get(id) ?? []) takeValue(value);
      waiting.delete(id);
    };
    await readTopic(
      from.kafka,
      from.topic,
      { timestampMs: fromMs + 1 },
      (messages) => {
        for (const { timestamp, value } of messages) {
          if (value === null || Number(timestamp) <= fromMs || Number(timestamp) > to) continue;
          const id = ourSchema(value);
          if (id === null) continue;
          if (prepared.has(id)) takeValue(value);
          else if (waiting.has(id)) waiting.get(id)!.push(value);
          else {
            const lookup = lookUp(id, value);
            // It is awaited below, and may reject before.
            lookup.catch(() => undefined);
            lookups.push(lookup);
          }
        }
      },
      signal,
    ).finally(() => Promise.allSettled(lookups));
    await Promise.all(lookups);
  };
}

/** What is in metrics.raw and no frame is somebody else's, as it is for the poller. */
function ourSchema(value: Buffer): number | null {
  try {
    return schemaIdOf(value);
  } catch (error) {
    if (isForeign(error)) return null;
    throw error;
  }
}

function readOurs(reader: FrameReader<RawFrame>, value: Buffer): RawFrame | null {
  try {
    return reader.read(value);
  } catch (error) {
    if (isForeign(error)) return null;
    throw error;
  }
}

function takeFrame(
  { timestamp, series, values, stale }: RawFrame,
  isWanted: (series: Series) => boolean,
  take: Parameters<ReadSide>[1],
): void {
  const times = Float64Array.of(timestamp);
  for (let i = 0; i < series.length; i++)
    if (stale[i] === 0 && isWanted(series[i])) take(series[i].key, times, values.subarray(i, i + 1));
}

/**
 * Which series of metrics.raw are compared: those that the selectors match; and, where a job's rules have changed their
 * names, those that they make of what Prometheus knows of in the range. Rejects as the client does.
 */
export async function wantedSeries(
  client: Pick<PrometheusClient, "series">,
  asks: readonly Ask[],
  range: Window,
  signal: AbortSignal,
): Promise<(series: Series) => boolean> {
  const asTheyAre = asks.filter(({ isRelabelled }) => !isRelabelled).map(({ selector }) => selector);
  const matches = matchesAny(asTheyAre);
  const relabelled = new Set<string>();
  for (const { selector, relabel } of asks.filter(({ isRelabelled }) => isRelabelled)) {
    const kept = (await client.series([selector], range, signal)).map(relabel);
    for (const labels of kept) if (labels !== null) relabelled.add(keyOf(labels));
  }
  return (series) => relabelled.has(series.key) || matches(series);
}

/**
 * Whether a series is one that the selectors match. A regular expression that only Prometheus can read is taken to match
 * everything.
 */
export function matchesAny(selectors: readonly string[]): (series: Series) => boolean {
  if (selectors.some((selector) => matchProblem(selector) !== null)) return () => true;
  const matches = selectors.map(compileMatch);
  // Series are interned: each is looked at once.
  const known = new WeakMap<Series, boolean>();
  return (series) => {
    let wanted = known.get(series);
    if (wanted === undefined) {
      wanted = matches.some(({ captures }) => captures(series) !== null);
      known.set(series, wanted);
    }
    return wanted;
  };
}
