import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import type { RawFrame } from "../shared/frame.js";
import { toFrames } from "./frames.js";
import type { Outage } from "../shared/outage.js";
import type { PollerMetrics } from "./poller-metrics.js";
import type { PrometheusClient } from "./prometheus-client.js";
import type { Complete } from "./completeness/complete-matrix.js";
import { type Comparing, type Comparison, type ReadWindow, readWindow } from "./read-window.js";
import type { SentSamples } from "./sent-samples.js";
import type { SeriesDirectory } from "./series-directory.js";
import type { Template } from "./templates.js";
import {
  MIN_WINDOW_MS,
  liveAfter,
  type Window,
  longerLimit,
  nextPollAt,
  nextWindow,
  settledUntil,
  shorterLimit,
} from "./window.js";

export interface PollSource {
  readonly job: string;
  /** The name of the Prometheus that the job reads. */
  readonly source: string;
  readonly schedule: Config["extract"]["jobs"][string];
  readonly templates: readonly Template[];
  readonly client: PrometheusClient;
  /** Null where the job's answers are not compared with Prometheus's counts. */
  readonly complete: Complete | null;
  readonly directory: SeriesDirectory;
  readonly outage: Outage;
  readonly metrics: PollerMetrics;
  readonly now: () => number;
}

/** Where a job has got to; both are what Kafka holds. */
export interface Progress {
  watermark: number;
  readonly sent: SentSamples;
}

/** Brings frames to Kafka, and the watermark with them. Rejects when that may have failed. */
export type Send = (frames: readonly RawFrame[], watermark: number) => Promise<void>;

/**
 * The watermark moves by this share of the overlap at the least where it is sent without frames, or counted for: a
 * transaction a poll for nothing would be most of pipeline.state, a count a poll much of Prometheus's work; and a new
 * beginning, or a poll, reads only so much more again.
 */
const STEP_SHARE = 1 / 3;

/** Whatever Prometheus's Retry-After says, within this time it is asked again. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Polls until the signal. Each poll reads everything after the watermark up to now, in windows, chronologically: after a
 * downtime many, otherwise one. Polls are aligned to the interval and never overlap. A failing Prometheus is told of and
 * polled again; rejects when `send` does, and where the failure is not Prometheus's.
 */
export async function pollUntil(
  signal: AbortSignal,
  from: PollSource,
  progress: Progress,
  send: Send,
): Promise<void> {
  const { job, schedule, outage, metrics, now } = from;
  let limitMs = schedule.max_window;
  let newestRead = progress.watermark;
  const stepMs = Math.max(schedule.overlap * STEP_SHARE, 1);

  /** Reads one window and brings it to Kafka. Rejects with PROM_INCOMPLETE, once what there is is sent. */
  async function transfer(window: Window): Promise<void> {
    const endTimer = metrics.pollDuration.startTimer({ job });
    const askedAt = now();
    const settled = (serverTime: number) =>
      settledUntil(window, progress.watermark, Math.min(askedAt, serverTime), schedule.overlap);
    const comparing =
      from.complete === null ? {} : { comparing: comparingOf(from.complete, settled, window) };
    const read = await readWindow(
      window,
      from.templates,
      { ...from, sent: progress.sent, ...comparing },
      signal,
    );
    const frames = toFrames(read.runs, {
      source: from.source,
      ingestedAt: now(),
      liveAfter: liveAfter(askedAt, schedule.interval, schedule.overlap),
    });
    const isProven = from.complete === null || read.comparison?.missing === 0;
    const watermark = isProven ? settled(read.serverTime) : progress.watermark;
    if (frames.length > 0 || watermark - progress.watermark >= stepMs) {
      await send(frames, watermark);
      progress.watermark = watermark;
      progress.sent.forgetUpTo(watermark);
      for (const frame of frames) progress.sent.add(frame);
    }
    count(read, frames);
    newestRead = Math.max(newestRead, window.to);
    metrics.readUntil.set({ job }, newestRead / 1_000);
    if (read.comparison !== null && read.comparison.missing > 0) throw incomplete(window, read.comparison);
    outage.ended();
    endTimer();
  }

  /** Compared is a settled part that is a step long, or the whole window, behind which the poll goes on. */
  function comparingOf(
    complete: Complete,
    settled: (serverTime: number) => number,
    window: Window,
  ): Comparing {
    return {
      complete,
      settledUntil: (serverTime) => {
        const until = settled(serverTime);
        const moves = until - progress.watermark;
        return moves >= stepMs || (moves > 0 && until === window.to) ? until : null;
      },
    };
  }

  function count(read: ReadWindow, frames: readonly RawFrame[]): void {
    const at = now();
    for (const { origin, timestamp, series } of frames) {
      metrics.samples.inc({ job, origin }, series.length);
      metrics.frames.inc({ job, origin });
      if (timestamp <= newestRead) metrics.lateSamples.inc({ job }, series.length);
      if (origin === "live") metrics.delay.observe({ job }, (at - timestamp) / 1_000);
    }
    metrics.histograms.inc({ job }, read.histograms);
    if (read.comparison !== null) {
      metrics.recovered.inc({ job }, read.comparison.recovered);
      metrics.missing.set({ job }, read.comparison.missing);
    }
    metrics.watermark.set({ job }, progress.watermark / 1_000);
    metrics.remembered.set({ job }, progress.sent.size());
  }

  /** One poll. Resolves to when the next one may be, at the earliest. */
  async function poll(): Promise<number> {
    const until = now();
    let readUntil = progress.watermark;
    for (let window; (window = nextWindow(readUntil, until, limitMs)) !== null;) {
      try {
        await transfer(window);
        readUntil = window.to;
        limitMs = longerLimit(limitMs, schedule.max_window);
      } catch (thrown) {
        const { code, retryAfterMs = 0 } = asMillraceError(thrown);
        if (signal.aborted || !code.startsWith("PROM_")) throw thrown;
        const tooLong = code === "PROM_WINDOW_TOO_LARGE" || code === "PROM_TIMEOUT";
        if (tooLong) limitMs = shorterLimit(window);
        if (code === "PROM_WINDOW_TOO_LARGE" && window.to - window.from > MIN_WINDOW_MS) continue;
        outage.failed(thrown);
        metrics.pollFailures.inc({ job, code });
        return now() + Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
      }
    }
    return 0;
  }

  try {
    while (!signal.aborted) {
      const notBefore = await poll();
      const waitMs = Math.max(nextPollAt(now(), schedule.interval), notBefore) - now();
      await sleep(waitMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function incomplete(window: Window, { missing, until, example }: Comparison): MillraceError {
  const range = `from ${isoTime(window.from)} to ${isoTime(until)}`;
  return new MillraceError(
    "PROM_INCOMPLETE",
    `Prometheus counts ${missing} samples ${range} that it does not show, of ${example} among others.`,
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
