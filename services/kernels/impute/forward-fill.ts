import type { GapOptions, ImputerDeclaration } from "./declaration.js";
import { copyOpen, fillCell, forEachGap, gapLengthMs } from "./gaps.js";

export interface CarryOptions extends GapOptions {
  /** How many samples in a row are filled at most; Infinity for no limit. */
  readonly limitCount: number;
  /** How far in time a value is carried at most, in milliseconds; Infinity for no limit. */
  readonly limitAgeMs: number;
}

export const forwardFillImputer: ImputerDeclaration<CarryOptions> = {
  name: "forward_fill",
  lookbackMs: () => 0,
  needsFarEnd: false,
};

/**
 * Carries the value before a gap on into it: pandas `ffill(limit=limitCount)`, and no further than `limitAgeMs`. Only gaps of
 * `maxGapMs` at most, as far as their length is known, so as of the newest sample that is a limit by age too. Arguments and
 * results as of `linearFill`.
 */
export function forwardFill(
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
    if (before < first || gapLengthMs(timestamps, first, end, before, after) > maxGapMs) return;
    const last = Math.min(after - 1, before + limitCount);
    for (let i = before + 1; i <= last && timestamps[i] - timestamps[before] <= limitAgeMs; i++) {
      if (Number.isNaN(values[i])) fillCell(out, filled, outOffset + i - first, values[before]);
    }
  });
}
