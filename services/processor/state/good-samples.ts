import { type SeriesWindow, isImputed } from "./series-window.js";

/** Good are the samples that windows see: gaps lie between them, and what fills gaps is told from them. */

export function isGood(window: SeriesWindow, at: number): boolean {
  const value = window.cleaned[at];
  return value - value === 0 && !isImputed(window, at);
}

/** The last good one before an index; `first - 1` where there is none. */
export function goodBefore(window: SeriesWindow, index: number): number {
  let at = index - 1;
  while (at >= window.first && !isGood(window, at)) at--;
  return at;
}

/** The first good one from an index on; `end` where there is none. */
export function goodFrom(window: SeriesWindow, index: number): number {
  let at = index;
  while (at < window.end && !isGood(window, at)) at++;
  return at;
}
