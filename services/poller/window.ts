/**
 * Which time range is read next. Times are milliseconds since the epoch; a window is right-closed, (from, to].
 * The watermark is the time up to which every sample is in Kafka. Samples are stored late (a scrape is dated by its
 * start and visible at its end), so the watermark stays `overlap` behind the clock, and what is newer is read again by
 * every poll until it is old enough.
 */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The next stretch after `readUntil`, at most `limitMs` long; null when everything up to `now` is read. */
export function nextWindow(readUntil: number, now: number, limitMs: number): Window | null {
  return readUntil >= now ? null : { from: readUntil, to: Math.min(readUntil + limitMs, now) };
}

/**
 * Up to where nothing of a window is stored any more: the watermark once that is in Kafka. `askedAt` is when the query began:
 * by the poller's clock, or by Prometheus's where that is behind, since a clock ahead of Prometheus's would skip what it
 * has yet to store. A window that does not begin at the watermark cannot move it.
 */
export function settledUntil(window: Window, watermark: number, askedAt: number, overlapMs: number): number {
  if (window.from > watermark) return watermark;
  return Math.max(watermark, Math.min(window.to, askedAt - overlapMs));
}

/** Samples newer than this are news, however a poll came to them; older ones only a catch-up reads. */
export function liveAfter(now: number, intervalMs: number, overlapMs: number): number {
  return now - 2 * intervalMs - overlapMs;
}

/** The next multiple of the interval after `now`: polls keep their phase however long each takes. */
export function nextPollAt(now: number, intervalMs: number): number {
  return (Math.floor(now / intervalMs) + 1) * intervalMs;
}

/** No window is cut shorter: it would not hold less than one scrape. */
export const MIN_WINDOW_MS = 1_000;

/** How long a window may be after one that was too much for Prometheus. */
export function shorterLimit({ from, to }: Window): number {
  return Math.max(Math.floor((to - from) / 2), MIN_WINDOW_MS);
}

/** How long a window may be after one that was not: back by a quarter, so that most of the next ones succeed. */
export function longerLimit(limitMs: number, maxMs: number): number {
  return Math.min(Math.ceil(limitMs * 1.25), maxMs);
}
