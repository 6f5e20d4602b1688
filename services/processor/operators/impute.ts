import { type MonoTypeOperatorFunction, tap } from "rxjs";
import type { ImputationPlan } from "../imputation-plan.js";
import type { Changes } from "../state/changes.js";
import { fillGaps } from "../state/fill-gaps.js";

/**
 * Fills a gap once its far end is there: samples that are missing, removed or not finite, up to the longest gap that is
 * filled. What changes at an end, or in between, has the gap filled anew.
 */
export function impute(plan: ImputationPlan): MonoTypeOperatorFunction<Changes> {
  return tap((changes) => {
    const { windows, outcomes, from, to, gone } = changes;
    for (let i = 0; i < windows.length; i++) {
      const changed = { from: from[i], to: to[i], isAppend: outcomes[i] === "appended" };
      const filled = fillGaps(windows[i], plan, changed, gone);
      if (filled === null) continue;
      from[i] = Math.min(from[i], filled.from);
      to[i] = Math.max(to[i], filled.to);
    }
  });
}
