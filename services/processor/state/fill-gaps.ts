import { firstAfter } from "../../kernels/window-bounds.js";
import { flagBits } from "../../shared/frame.js";
import { GAP_INTERVALS, type ImputationPlan } from "../imputation-plan.js";
import type { Gone } from "./changes.js";
import { type Filling, fillTimes } from "./fill-table.js";
import { goodBefore, goodFrom, isGood } from "./good-samples.js";
import { DISTANCES, intervalUpTo } from "./sample-interval.js";
import {
  type SeriesWindow,
  entryKinds,
  forgetCaches,
  insertAt,
  isCounter,
  isImputed,
  putFilledIn,
  removeAt,
} from "./series-window.js";

/** Times of the first and the last entry that is not what it was, milliseconds since the epoch. */
export interface Filled {
  readonly from: number;
  readonly to: number;
}

/**
 * Fills the gaps that touch the entries at times from ... to, which changed. A gap lies between two samples that windows see;
 * what is filled in are the samples between them that windows do not see, and points at even distances where samples are
 * missing. Null where nothing but these entries is different now; times of points that are not there any more go to `gone`.
 */
export function fillGaps(
  window: SeriesWindow,
  filling: Filling,
  { from, to, isAppend }: { from: number; to: number; isAppend: boolean },
  gone: Gone[],
): Filled | null {
  const { plan } = filling;
  const { timestamps, first, end } = window;
  const left = goodBefore(window, isAppend ? end - 1 : firstAfter(timestamps, first, end, from - 1));
  if (isAppend) {
    if (left < first || !isGood(window, end - 1)) return null;
    // Nearly always: a sample that follows the one before it.
    if (left === end - 2 && missingBetween(window, plan, left, end - 1) === 0) return null;
  }
  const right = isAppend ? end : goodFrom(window, lastReached(window, plan, to));
  const after = left < first ? -Infinity : timestamps[left];
  const before = right === end ? Infinity : timestamps[right];
  const old = contentsBetween(window, after, before);
  strip(window, left, right);
  fillBetween(window, filling, after, before);
  return compared(window, old, contentsBetween(window, after, before), gone);
}

/** The good samples that the entry at an index lies between; `first - 1` and `end` where there is none. */
export function endsOf(window: SeriesWindow, at: number): { near: number; far: number } {
  return { near: goodBefore(window, at), far: goodFrom(window, at + 1) };
}

/** The first index that no gap begins before whose interval, or whose fill, is told from the samples at or before a time. */
function lastReached(window: SeriesWindow, plan: ImputationPlan, timestamp: number): number {
  const { timestamps, first, end } = window;
  const withoutContext = firstAfter(timestamps, first, end, timestamp + plan.reachMs - 1);
  return Math.max(withoutContext, lastOfInterval(window, plan, timestamp));
}

/** The first index whose interval is not told from the samples at or before a time. */
function lastOfInterval(
  { timestamps, kinds, first, end }: SeriesWindow,
  plan: ImputationPlan,
  timestamp: number,
): number {
  let at = firstAfter(timestamps, first, end, timestamp);
  for (let samples = plan.intervalMs === null ? DISTANCES + 1 : 0; samples > 0 && at < end; at++) {
    if (kinds[at] !== entryKinds.filledIn) samples--;
  }
  return at;
}

/** How often a sample is expected after the one at an index; Infinity where nothing tells. */
function intervalAt(window: SeriesWindow, plan: ImputationPlan, index: number): number {
  const afterMs = window.timestamps[index] - plan.intervalLookbackMs;
  return plan.intervalMs ?? intervalUpTo(window, index, afterMs);
}

/** How many samples are missing between two samples that follow each other. */
function missingBetween(window: SeriesWindow, plan: ImputationPlan, left: number, right: number): number {
  const distance = window.timestamps[right] - window.timestamps[left];
  const intervalMs = intervalAt(window, plan, left);
  return distance > GAP_INTERVALS * intervalMs ? Math.round(distance / intervalMs) - 1 : 0;
}

/** Entries as they were. */
interface Contents {
  readonly timestamps: Float64Array;
  readonly cleaned: Float64Array;
  readonly flags: Uint8Array;
  readonly types: Uint8Array;
}

/** The entries at times between these two, without them. */
function contentsBetween(window: SeriesWindow, after: number, before: number): Contents {
  const { timestamps, first, end } = window;
  const start = firstAfter(timestamps, first, end, after);
  const stop = firstAfter(timestamps, first, end, before - 1);
  return {
    timestamps: timestamps.slice(start, stop),
    cleaned: window.cleaned.slice(start, stop),
    flags: window.flags.slice(start, stop),
    types: window.types.slice(start, stop),
  };
}

/** Takes out what was filled in between two indices. */
function strip(window: SeriesWindow, left: number, right: number): void {
  for (let at = right - 1; at > left; at--) {
    if (window.kinds[at] === entryKinds.filledIn) {
      removeAt(window, at);
    } else if (isImputed(window, at)) {
      window.flags[at] &= ~flagBits.imputed;
      window.cleaned[at] = NaN;
    }
  }
}

/** Fills each gap from the good sample at one time to that at the other, where there are such samples. */
function fillBetween(window: SeriesWindow, filling: Filling, after: number, before: number): void {
  let far = goodBefore(window, firstAfter(window.timestamps, window.first, window.end, before));
  for (;;) {
    const near = goodBefore(window, far);
    if (near < window.first || window.timestamps[near] < after) return;
    // Columns may move while there is made room.
    const rank = near - window.first;
    fillGap(window, filling, near, far);
    far = window.first + rank;
  }
}

/** Fills the gap between two good samples, if there is one. */
function fillGap(window: SeriesWindow, filling: Filling, near: number, far: number): void {
  const { plan } = filling;
  const { timestamps } = window;
  if (
    timestamps[far] - timestamps[near] > plan.maxGapMs ||
    isCounter(window, near) !== isCounter(window, far)
  )
    return;
  const times: number[] = [];
  for (let at = near; at < far; at++) {
    const missing = missingBetween(window, plan, at, at + 1);
    const distance = timestamps[at + 1] - timestamps[at];
    for (let k = 1; k <= missing; k++)
      times.push(timestamps[at] + Math.round((k * distance) / (missing + 1)));
    if (at + 1 < far) times.push(timestamps[at + 1]);
  }
  if (times.length === 0) return;
  const intervalMs = intervalAt(window, plan, near);
  const values = fillTimes(filling, { window, near, far, times, intervalMs });
  const type = window.types[far];
  let at = near + 1;
  times.forEach((timestamp, k) => {
    const isThere = window.timestamps[at] === timestamp;
    if (!Number.isFinite(values[k])) {
      at += Number(isThere);
    } else if (isThere) {
      window.cleaned[at] = values[k];
      window.flags[at++] |= flagBits.imputed;
    } else {
      const inserted = insertAt(window, at);
      putFilledIn(window, inserted, { timestamp, value: values[k], type });
      at = inserted + 1;
    }
  });
}

/** The times where two states of the same stretch differ; null where they do not. */
function compared(window: SeriesWindow, old: Contents, now: Contents, gone: Gone[]): Filled | null {
  let from = Infinity;
  let to = -Infinity;
  let i = 0;
  let k = 0;
  while (i < old.timestamps.length || k < now.timestamps.length) {
    const was = i < old.timestamps.length ? old.timestamps[i] : Infinity;
    const is = k < now.timestamps.length ? now.timestamps[k] : Infinity;
    if (was < is) gone.push({ window, timestamp: was, type: old.types[i] });
    if (was !== is || !isSame(old, i, now, k)) {
      from = Math.min(from, was, is);
      to = Math.max(to, Math.min(was, is));
    }
    if (was <= is) i++;
    if (is <= was) k++;
  }
  if (from === Infinity) return null;
  forgetCaches(window);
  return { from, to };
}

function isSame(old: Contents, i: number, now: Contents, k: number): boolean {
  return (
    Object.is(old.cleaned[i], now.cleaned[k]) &&
    old.flags[i] === now.flags[k] &&
    old.types[i] === now.types[k]
  );
}
