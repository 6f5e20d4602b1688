import { type MonoTypeOperatorFunction, tap } from "rxjs";
import type { ImputationPlan } from "../imputation-plan.js";
import type { Changes } from "../state/changes.js";
import { fillGaps } from "../state/fill-gaps.js";
import { type Filling, openFilling } from "../state/fill-table.js";
import type { SeriesWindow } from "../state/series-window.js";

/**
 * Fills a gap once its far end is there: samples that are missing, removed or not finite, up to the longest gap that is
 * filled. What changes at an end, in between, or at any other time that its filler looks at has the gap filled anew.
 */
export function impute(plan: ImputationPlan): MonoTypeOperatorFunction<Changes> {
  return tap((changes) => {
    if (changes.windows.length === 0) return;
    const filling = openFilling(plan, changes.entity);
    if (plan.imputer.columnsOf === null) fillEach(changes, filling);
    else fillAcross(changes, filling);
  });
}

function fillEach(changes: Changes, filling: Filling): void {
  const { outcomes, from, to } = changes;
  for (let i = 0; i < outcomes.length; i++) {
    fillAt(changes, filling, i, { from: from[i], to: to[i], isAppend: outcomes[i] === "appended" });
  }
}

/** Where a filler looks at other series, any that changed may have the gaps of all filled anew. */
function fillAcross(changes: Changes, filling: Filling): void {
  const { windows, outcomes, entity } = changes;
  const from = Math.min(...changes.from);
  const to = Math.max(...changes.to);
  const changed = new Set(windows);
  // The newest of its series ends the only gap that looks at its time, or at a later one.
  const isAppend = outcomes.every((outcome) => outcome === "appended");
  const count = outcomes.length;
  for (let i = 0; i < count; i++) fillAt(changes, filling, i, { from, to, isAppend });
  for (const window of entity.windows.values()) {
    if (!changed.has(window) && newestOf(window) >= from) fillOther(changes, filling, window, from, to);
  }
}

function newestOf({ timestamps, first, end }: SeriesWindow): number {
  return end === first ? -Infinity : timestamps[end - 1];
}

/** Fills the gaps of a series that changed, at its place among the changes. */
function fillAt(
  { windows, from, to, gone }: Changes,
  filling: Filling,
  i: number,
  changed: { from: number; to: number; isAppend: boolean },
): void {
  const filled = fillGaps(windows[i], filling, changed, gone);
  if (filled === null) return;
  from[i] = Math.min(from[i], filled.from);
  to[i] = Math.max(to[i], filled.to);
}

/** The same for one that has no sample among the changes. */
function fillOther(changes: Changes, filling: Filling, window: SeriesWindow, from: number, to: number): void {
  const filled = fillGaps(window, filling, { from, to, isAppend: false }, changes.gone);
  if (filled === null) return;
  changes.windows.push(window);
  changes.samples.push(-1);
  changes.outcomes.push("replaced");
  changes.from.push(filled.from);
  changes.to.push(filled.to);
}
