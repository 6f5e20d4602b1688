import { MillraceError, asMillraceError } from "../../shared/errors.js";
import type { Outage } from "../../shared/outage.js";
import { untilDone } from "../../shared/retry.js";
import type { SeriesRun } from "../frames.js";
import type { PrometheusClient } from "../prometheus-client.js";
import { readWindow } from "../read-window.js";
import type { SentSamples } from "../sent-samples.js";
import type { SeriesDirectory } from "../series-directory.js";
import type { Template } from "../templates.js";
import { MIN_WINDOW_MS, type Window } from "../window.js";

/** What a chunk's reading came to. */
export interface ChunkRead {
  /** What is not in metrics.raw yet. */
  readonly runs: SeriesRun[];
  /** Samples that the source has, those in metrics.raw among them. */
  readonly found: number;
  /** Samples of native histograms, which were left out. */
  readonly histograms: number;
}

export interface ChunkSource {
  readonly client: PrometheusClient;
  readonly directory: SeriesDirectory;
  readonly templates: readonly Template[];
  /** Of the Prometheus, as the backfill sees it. */
  readonly outage: Outage;
}

/** Reads a window; in halves where it is too much for Prometheus. Rejects as untilAnswered does. */
export async function readChunk(
  window: Window,
  source: ChunkSource,
  sent: SentSamples,
  signal: AbortSignal,
): Promise<ChunkRead> {
  const middle = Math.floor((window.from + window.to) / 2);
  const isDivisible = middle - window.from >= MIN_WINDOW_MS;
  let found = 0;
  const counting: SentSamples = {
    ...sent,
    unsent: (key, timestamps) => {
      found += timestamps.length;
      return sent.unsent(key, timestamps);
    },
  };
  try {
    const attempt = () => {
      found = 0;
      return readWindow(window, source.templates, { ...source, sent: counting }, signal);
    };
    const { runs, histograms } = await untilAnswered(attempt, { isDivisible, ...source }, signal);
    return { runs, found, histograms };
  } catch (error) {
    if (!isTooMuch(error) || !isDivisible) throw error;
    const first = await readChunk({ from: window.from, to: middle }, source, sent, signal);
    const second = await readChunk({ from: middle, to: window.to }, source, sent, signal);
    return {
      runs: [...first.runs, ...second.runs],
      found: first.found + second.found,
      histograms: first.histograms + second.histograms,
    };
  }
}

export function isTooMuch(error: unknown): boolean {
  return error instanceof MillraceError && error.code === "PROM_WINDOW_TOO_LARGE";
}

/** A Prometheus that is away is waited for; one that answers, but wrongly so often, is not going to do better. */
const WRONG_ANSWERS_MAX = 5;
/** After so many, each several times tried by the client, it is not just busy. */
const TIMEOUTS_MAX = 2;

/**
 * Asks until Prometheus answers. Rejects where asking again would not help: as the client does where it may not be retried,
 * with PROM_WINDOW_TOO_LARGE after several time-outs of what may be divided, and with PROM_BAD_RESPONSE or PROM_INCOMPLETE after several of these.
 */
export async function untilAnswered<Answer>(
  ask: () => Promise<Answer>,
  { outage, isDivisible }: { outage: Outage; isDivisible: boolean },
  signal: AbortSignal,
): Promise<Answer> {
  let wrong = 0;
  let timeouts = 0;
  const attempt = async (): Promise<{ answer: Answer } | { gaveUp: MillraceError }> => {
    try {
      return { answer: await ask() };
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (signal.aborted) throw thrown;
      if (isDivisible && error.code === "PROM_TIMEOUT" && ++timeouts >= TIMEOUTS_MAX)
        return { gaveUp: new MillraceError("PROM_WINDOW_TOO_LARGE", error.message, { cause: error }) };
      const isWrong = error.code === "PROM_BAD_RESPONSE" || error.code === "PROM_INCOMPLETE";
      if (isWrong && ++wrong >= WRONG_ANSWERS_MAX) return { gaveUp: error };
      throw error;
    }
  };
  const outcome = await untilDone(attempt, { outage, signal });
  if ("gaveUp" in outcome) throw outcome.gaveUp;
  return outcome.answer;
}
