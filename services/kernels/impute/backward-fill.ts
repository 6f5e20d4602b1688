import type { ImputerDeclaration } from "./declaration.js";
import type { CarryOptions } from "./forward-fill.js";
import { copyOpen, fillCell, forEachGap, gapLengthMs } from "./gaps.js";

export const backwardFillImputer: ImputerDeclaration<CarryOptions> = {
  name: "backward_fill",
  lookbackMs: () => 0,
  needsFarEnd: true,
};

/**
 * Carries the value after a gap back into it: pandas `bfill(limit=limitCount)`, and no further than `limitAgeMs`. Arguments and
 * results as of `linearFill`.
 */
export function backwardFill(
  options: CarryOptions,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
): void {
  const { maxGapMs, limitCount, limitAgeMs } = options;
  copyOpen(values, first, end, out, filled, outOffset);
  forEachGap(values, first, end, (before, after) => {
    if (after === end || gapLengthMs(timestamps, first, end, before, after) > maxGapMs) return;
    const oldest = Math.max(before + 1, after - limitCount);
    for (let i = after - 1; i >= oldest && timestamps[after] - timestamps[i] <= limitAgeMs; i--) {
      if (Number.isNaN(values[i])) fillCell(out, filled, outOffset + i - first, values[after]);
    }
  });
}
