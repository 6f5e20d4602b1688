import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../shared/config-schema.js";
import { asMillraceError } from "../shared/errors.js";
import type { RawFrame } from "../shared/frame.js";
import { toFrames } from "./frames.js";
import type { Outage } from "../shared/outage.js";
import type { PollerMetrics } from "./poller-metrics.js";
import type { PrometheusClient } from "./prometheus-client.js";
import { type ReadWindow, readWindow } from "./read-window.js";
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
  shorterLimit,
  watermarkAfter,
} from "./window.js";

export interface PollSource {
  readonly job: string;
  /** The name of the Prometheus that the job reads. */
  readonly source: string;
  readonly schedule: Config["extract"]["jobs"][string];
  readonly templates: readonly Template[];
  readonly client: PrometheusClient;
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
 * A watermark without frames is sent once it has moved by this share of the overlap: a transaction a poll for nothing
 * would be most of pipeline.state, and a new beginning reads only so much more again.
 */
const IDLE_SHARE = 1 / 3;

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

  /** Reads one window and brings it to Kafka. */
  async function transfer(window: Window): Promise<void> {
    const endTimer = metrics.pollDuration.startTimer({ job });
    const askedAt = now();
    const read = await readWindow(window, from.templates, { ...from, sent: progress.sent }, signal);
    outage.ended();
    const frames = toFrames(read.runs, {
      source: from.source,
      ingestedAt: now(),
      liveAfter: liveAfter(askedAt, schedule.interval, schedule.overlap),
    });
    const watermark = watermarkAfter(window, Math.min(askedAt, read.serverTime), schedule.overlap);
    if (frames.length > 0 || watermark - progress.watermark >= schedule.overlap * IDLE_SHARE) {
      await send(frames, watermark);
      progress.watermark = watermark;
      progress.sent.forgetUpTo(watermark);
      for (const frame of frames) progress.sent.add(frame);
    }
    count(read, frames);
    newestRead = Math.max(newestRead, window.to);
    metrics.readUntil.set({ job }, newestRead / 1_000);
    endTimer();
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
