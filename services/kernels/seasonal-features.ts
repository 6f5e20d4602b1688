import { type Decomposition, openDecomposition } from "./decomposition.js";
import {
  openSeasonalDecomposeScratch,
  seasonalDecompose,
  type SeasonalDecomposeScratch,
} from "./seasonal-decompose.js";
import { decompositionStrengths } from "./seasonal-strength.js";

export interface SeasonalPlan {
  /** Samples a season. */
  readonly period: number;
  /** How far apart samples are expected. */
  readonly intervalMs: number;
}

/** What is kept for reuse: without influence on any result. `parts` are those of the newest row's window. */
export interface SeasonalScratch {
  parts: Decomposition;
  strengths: Float64Array;
  sums: Float64Array;
  decompose: SeasonalDecomposeScratch;
}

export function openSeasonalScratch(): SeasonalScratch {
  return {
    parts: openDecomposition(0),
    strengths: new Float64Array(2),
    sums: new Float64Array(0),
    decompose: openSeasonalDecomposeScratch(),
  };
}

/** A longer step than so many intervals is a gap, a shorter one than half of them a sample too many. */
const gapIntervals = 1.5;

/** How many columns `seasonalFeatures` writes: trend, seasonal, residual, seasonal_strength. */
export const seasonalWidth = 4;

/**
 * Writes the features `trend`, `seasonal`, `residual` and `seasonal_strength` of the row at `end - 1` at
 * `out[outOffset]`, from its window `first ... end - 1`, some periods of samples: what statsmodels'
 * `seasonal_decompose(window, period=…, two_sided=False)` has for the last of them, and the strength of the season
 * over the window. It does not look ahead: the trend is the mean of the period that ends with the sample.
 *
 * All NaN for less than two periods, for a value that is not finite, and for a gap or a sample too many: the place
 * in the season is counted in samples, so gaps must be filled before.
 */
export function seasonalFeatures(
  plan: SeasonalPlan,
  scratch: SeasonalScratch,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = end - first;
  if (count < 2 * plan.period || !isRegular(timestamps, first, end, plan.intervalMs)) {
    out.fill(NaN, outOffset, outOffset + seasonalWidth);
    return;
  }
  if (scratch.sums.length < count) {
    scratch.parts = openDecomposition(count);
    scratch.sums = new Float64Array(count);
  }
  const { parts, strengths } = scratch;
  const options = { period: plan.period, model: "additive", twoSided: false } as const;
  seasonalDecompose(options, scratch.decompose, values, first, end, parts);
  decompositionStrengths(parts, count, scratch.sums, strengths, 0);
  out[outOffset] = parts.trend[count - 1];
  out[outOffset + 1] = parts.seasonal[count - 1];
  out[outOffset + 2] = parts.residual[count - 1];
  out[outOffset + 3] = strengths[0];
}

function isRegular(timestamps: Float64Array, first: number, end: number, intervalMs: number): boolean {
  for (let i = first + 1; i < end; i++) {
    const intervals = (timestamps[i] - timestamps[i - 1]) / intervalMs;
    if (intervals > gapIntervals || intervals < gapIntervals - 1) return false;
  }
  return true;
}
