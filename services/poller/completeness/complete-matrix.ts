import type { Matrix } from "../prometheus-answer.js";
import type { Window } from "../window.js";
import {
  type CountingClient,
  type RangeEdges,
  askRangeEdges,
  countByMetric,
  countBySeries,
} from "./count-samples.js";
import { heldByMetric, heldBySeries, joined } from "./held-samples.js";

/** What was missing of an answer, and what still is. */
export interface Completed {
  readonly matrix: Matrix;
  /** Samples that the answer lacked and another one had. */
  readonly recovered: number;
  /** Samples that Prometheus counts and does not show. */
  readonly missing: number;
  /** A series that is among those, as its canonical text; null where nothing is missing. */
  readonly example: string | null;
}

/**
 * Compares answers with what Prometheus counts. The window must be settled: nothing is appended in it any more. Where an answer
 * has less, the window is halved until the slices that lack something are short, and these are read again; then by
 * series. What Prometheus shows and does not count is no loss, metric by metric. Rejects as the client does.
 */
export type Complete = (
  selector: string,
  matrix: Matrix,
  window: Window,
  signal: AbortSignal,
) => Promise<Completed>;

/** A slice of so few samples, or so little time, is read again as it is. */
const SLICE_SAMPLES = 1_000;
const SLICE_MS = 1_000;
/** Halvings of one window: beyond, whatever lacks something is read again, long or not. */
const HALVINGS_MAX = 32;
/** Series that are read again by themselves; more than these lack something only where the whole answer is wrong. */
const SERIES_MAX = 100;

/** For one Prometheus: how it counts is asked once, and again before it is said that something is missing. */
export function createComplete(client: CountingClient): Complete {
  let edges: RangeEdges | null = null;
  return async (selector, matrix, window, signal) => {
    edges ??= await askRangeEdges(client, signal);
    const lacked = await lackOf({ client, selector, edges, signal }, matrix, window);
    if (lacked === 0) return { matrix, recovered: 0, missing: 0, example: null };
    edges = await askRangeEdges(client, signal);
    return complete({ client, selector, edges, signal }, matrix, window);
  };
}

interface Question {
  readonly client: CountingClient;
  readonly selector: string;
  readonly edges: RangeEdges;
  readonly signal: AbortSignal;
}

async function complete(question: Question, matrix: Matrix, window: Window): Promise<Completed> {
  const lacked = await lackOf(question, matrix, window);
  const { client, selector, signal } = question;
  let whole = matrix;
  for (const slice of await slicesThatLack(question, matrix, window))
    whole = joined(whole, await client.samples(selector, slice, signal));
  const { missing, example, found } = await bySeries(question, whole, window);
  return { matrix: found, recovered: Math.max(0, lacked - missing), missing, example };
}

/** How many of the samples that Prometheus counts are not there. */
async function lackOf(question: Question, matrix: Matrix, window: Window): Promise<number> {
  const { client, selector, edges, signal } = question;
  const counted = await countByMetric(client, selector, window, edges, signal);
  let lack = 0;
  for (const [, metricLack] of lacks(counted, heldByMetric(matrix, window))) lack += metricLack;
  return lack;
}

function* lacks(
  counted: ReadonlyMap<string, number>,
  held: ReadonlyMap<string, number>,
): Generator<[string, number]> {
  for (const [key, count] of counted) {
    const lack = count - (held.get(key) ?? 0);
    if (lack > 0) yield [key, lack];
  }
}

async function slicesThatLack(question: Question, matrix: Matrix, window: Window): Promise<Window[]> {
  let halvings = 0;
  const search = async (slice: Window): Promise<Window[]> => {
    const lack = await lackOf(question, matrix, slice);
    if (lack === 0) return [];
    const length = slice.to - slice.from;
    const samples = lack + total(heldByMetric(matrix, slice));
    if (length <= SLICE_MS || samples <= SLICE_SAMPLES || halvings >= HALVINGS_MAX) return [slice];
    halvings++;
    const middle = slice.from + Math.floor(length / 2);
    return [
      ...(await search({ from: slice.from, to: middle })),
      ...(await search({ from: middle, to: slice.to })),
    ];
  };
  return search(window);
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** Reads again, one by one, the series that still lack something. */
async function bySeries(
  question: Question,
  matrix: Matrix,
  window: Window,
): Promise<{ found: Matrix; missing: number; example: string | null }> {
  const { client, selector, edges, signal } = question;
  const counted = await countByMetric(client, selector, window, edges, signal);
  let found = matrix;
  let missing = 0;
  let example: string | null = null;
  let read = 0;
  for (const [metric] of lacks(counted, heldByMetric(matrix, window))) {
    const bySeries = await countBySeries(client, selector, metric, window, edges, signal);
    const held = heldBySeries(matrix, metric, window);
    for (const [key, { selector: exact, count }] of bySeries) {
      let lack = count - (held.get(key) ?? 0);
      if (lack <= 0) continue;
      if (read++ < SERIES_MAX) {
        found = joined(found, await client.samples(exact, window, signal));
        lack = count - (heldBySeries(found, metric, window).get(key) ?? 0);
      }
      if (lack <= 0) continue;
      missing += lack;
      example ??= key;
    }
  }
  return { found, missing, example };
}
