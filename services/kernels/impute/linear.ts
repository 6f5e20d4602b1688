import type { GapOptions, ImputerDeclaration } from "./declaration.js";
import { copyOpen, fillCell, forEachGap } from "./gaps.js";

/** From here on down, a slope has lost bits below the smallest normal double. */
const smallestSafeSlope = 2 ** -960;

export const linearImputer: ImputerDeclaration<GapOptions> = {
  name: "linear_interpolation",
  lookbackMs: () => 0,
  needsFarEnd: true,
};

/**
 * Fills the gaps of `values[first ... end - 1]` along straight lines in time between their neighbours: pandas
 * `interpolate('time', limit_area='inside')`, with the same operations in the same order (numpy's `interp`), and besides only
 * gaps that last `maxGapMs` at most. Where the slope over- or underflows, which pandas answers with NaN or the neighbour, the
 * line is still followed. Writes the filled samples at `out[outOffset ...]` and 1 at `filled[outOffset ...]` for those filled, 0
 * for the others.
 */
export function linearFill(
  options: GapOptions,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
): void {
  copyOpen(values, first, end, out, filled, outOffset);
  forEachGap(values, first, end, (before, after) => {
    if (before < first || after === end) return;
    if (timestamps[after] - timestamps[before] > options.maxGapMs) return;
    for (let i = before + 1; i < after; i++) {
      if (!Number.isNaN(values[i])) continue;
      fillCell(out, filled, outOffset + i - first, onLine(timestamps, values, before, after, timestamps[i]));
    }
  });
}

/** The value at `ms` of the line through the samples `before` and `after`. */
export function onLine(
  timestamps: Float64Array,
  values: Float64Array,
  before: number,
  after: number,
  ms: number,
): number {
  const low = values[before];
  const high = values[after];
  const elapsedMs = ms - timestamps[before];
  const lengthMs = timestamps[after] - timestamps[before];
  const slope = (high - low) / lengthMs;
  const size = Math.abs(slope);
  if (size < Infinity && (size > smallestSafeSlope || high === low)) return slope * elapsedMs + low;
  const share = elapsedMs / lengthMs;
  return low * (1 - share) + high * share;
}
