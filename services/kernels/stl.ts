import { type Decomposition, copyScaled, fillWithoutAnswer, unscale } from "./decomposition.js";
import { fitOr, smoothByLoess } from "./loess.js";
import { movingSums } from "./moving-sum.js";

export interface StlOptions {
  /** Samples a season, 2 or more. */
  readonly period: number;
  /** How many seasons the seasonal part is smoothed over, odd, 3 or more. statsmodels' default is 7. */
  readonly seasonal: number;
  /** Whether values far from the rest lose their weight. */
  readonly robust: boolean;
}

/** What is kept for reuse: without influence on any result. */
export interface StlScratch {
  values: Float64Array;
  /** What is smoothed, and what comes of it: as long as the series. */
  work: Float64Array;
  smooth: Float64Array;
  robustness: Float64Array;
  /** Those of one place of the period. */
  weighing: Float64Array;
  sorted: Float64Array;
  /** The seasonal part, a period longer at both ends, and moving sums of it. */
  cycles: Float64Array;
  sums: Float64Array;
  /** As long as the widest span. */
  weights: Float64Array;
  suffixes: Float64Array;
}

export function openStlScratch(): StlScratch {
  return scratchFor(0, 0, 0);
}

function scratchFor(count: number, period: number, span: number): StlScratch {
  return {
    values: new Float64Array(count),
    work: new Float64Array(count),
    smooth: new Float64Array(count),
    robustness: new Float64Array(count),
    weighing: new Float64Array(count),
    sorted: new Float64Array(count),
    cycles: new Float64Array(count + 2 * period),
    sums: new Float64Array(count + 2 * period),
    weights: new Float64Array(span),
    suffixes: new Float64Array(Math.max(3, period)),
  };
}

/** How often trend and seasonal part are taken from each other, and how often the weights are set anew. */
const plainRounds = { inner: 5, outer: 0 };
const robustRounds = { inner: 2, outer: 15 };

/**
 * Decomposes `values[first ... end - 1]`, which stand at equal distances, into `parts`: statsmodels' `STL(values,
 * period, seasonal, robust=…).fit()` with its other defaults (spans of trend and low pass by the period, degree 1,
 * jumps 1; statsmodels/tsa/stl/_stl.pyx, after Cleveland, Cleveland, McRae, Terpenning 1990).
 *
 * It looks at the whole window, forwards too, so it describes a window and predicts nothing. Everything is NaN
 * for less than two periods, and where a value is not finite: fill gaps before.
 */
export function stl(
  options: StlOptions,
  scratch: StlScratch,
  values: Float64Array,
  first: number,
  end: number,
  parts: Decomposition,
): void {
  const { period, seasonal, robust } = options;
  const count = end - first;
  const spans = { seasonal, trend: trendSpan(period, seasonal), lowPass: oddFrom(period + 1) };
  reserve(scratch, count, period, Math.max(spans.trend, spans.lowPass, seasonal));
  const scale = copyScaled(values, first, end, scratch.values);
  if (count < 2 * period || Number.isNaN(scale)) {
    fillWithoutAnswer(parts, count);
    return;
  }
  const { inner, outer } = robust ? robustRounds : plainRounds;
  parts.trend.fill(0, 0, count);
  for (let round = 0; ; round++) {
    const robustness = round === 0 ? null : scratch.robustness;
    for (let i = 0; i < inner; i++) takeApart(scratch, count, period, spans, robustness, parts);
    takeResidual(scratch, count, parts);
    if (round === outer) break;
    weighResiduals(scratch, count, parts);
  }
  for (const part of [parts.trend, parts.seasonal, parts.residual]) unscale(part, count, scale);
}

interface Spans {
  readonly seasonal: number;
  readonly trend: number;
  readonly lowPass: number;
}

/** The authors' advice: as short as it may be without taking up the season. */
function trendSpan(period: number, seasonal: number): number {
  return oddFrom(Math.ceil((1.5 * period) / (1 - 1.5 / seasonal)));
}

function oddFrom(least: number): number {
  return least % 2 === 0 ? least + 1 : least;
}

function reserve(scratch: StlScratch, count: number, period: number, span: number): void {
  const fits =
    scratch.values.length >= count &&
    scratch.cycles.length >= count + 2 * period &&
    scratch.weights.length >= span &&
    scratch.suffixes.length >= period;
  if (!fits) Object.assign(scratch, scratchFor(count, period, span));
}

/** One round of the inner loop: the seasonal part from what the trend leaves, then the trend from the rest. */
function takeApart(
  scratch: StlScratch,
  count: number,
  period: number,
  spans: Spans,
  robustness: Float64Array | null,
  { trend, seasonal }: Decomposition,
): void {
  const { values, work, smooth, cycles, weights } = scratch;
  for (let i = 0; i < count; i++) seasonal[i] = values[i] - trend[i];
  smoothCycles(scratch, seasonal, count, period, spans.seasonal, robustness);
  passLow(scratch, count, period, work);
  smoothByLoess(work, count, spans.lowPass, null, weights, smooth);
  for (let i = 0; i < count; i++) {
    seasonal[i] = cycles[period + i] - smooth[i];
    work[i] = values[i] - seasonal[i];
  }
  smoothByLoess(work, count, spans.trend, robustness, weights, trend);
}

/**
 * Smooths what stands at the same place of each period, over the periods, and goes on for one period before and
 * one after. Into `cycles`.
 */
function smoothCycles(
  { work, smooth, weighing, cycles, weights }: StlScratch,
  detrended: Float64Array,
  count: number,
  period: number,
  span: number,
  robustness: Float64Array | null,
): void {
  const ownRobustness = robustness === null ? null : weighing;
  for (let place = 0; place < period; place++) {
    const seasons = Math.floor((count - place - 1) / period) + 1;
    for (let k = 0; k < seasons; k++) {
      work[k] = detrended[k * period + place];
      if (robustness !== null) weighing[k] = robustness[k * period + place];
    }
    smoothByLoess(work, seasons, span, ownRobustness, weights, smooth);
    cycles[place] = fitOr(smooth[0], 0, work, seasons, span, ownRobustness, weights);
    for (let k = 0; k < seasons; k++) cycles[(k + 1) * period + place] = smooth[k];
    const after = fitOr(smooth[seasons - 1], seasons + 1, work, seasons, span, ownRobustness, weights);
    cycles[(seasons + 1) * period + place] = after;
  }
}

/** Moving averages of `cycles` over a period, over a period again, and over three: what is no season. */
function passLow(
  { cycles, sums, suffixes }: StlScratch,
  count: number,
  period: number,
  out: Float64Array,
): void {
  const once = count + period + 1;
  movingSums(cycles, 0, count + 2 * period, period, suffixes, sums, 0);
  for (let i = 0; i < once; i++) sums[i] /= period;
  movingSums(sums, 0, once, period, suffixes, sums, 0);
  for (let i = 0; i < count + 2; i++) sums[i] /= period;
  movingSums(sums, 0, count + 2, 3, suffixes, out, 0);
  for (let i = 0; i < count; i++) out[i] /= 3;
}

function takeResidual({ values }: StlScratch, count: number, { trend, seasonal, residual }: Decomposition) {
  for (let i = 0; i < count; i++) residual[i] = values[i] - seasonal[i] - trend[i];
}

/** Robustness weights (bisquare) by the distance from the fit, in sixfold medians of all distances. */
function weighResiduals({ values, robustness, sorted }: StlScratch, count: number, parts: Decomposition) {
  for (let i = 0; i < count; i++)
    robustness[i] = sorted[i] = Math.abs(values[i] - (parts.trend[i] + parts.seasonal[i]));
  sorted.subarray(0, count).sort();
  const upper = count >>> 1;
  const reach = 3 * (sorted[upper] + sorted[count - upper - 1]);
  for (let i = 0; i < count; i++) {
    const share = robustness[i] / reach;
    const bell = 1 - share * share;
    const far = robustness[i] > 0.999 * reach;
    robustness[i] = reach === 0 || robustness[i] <= 0.001 * reach ? 1 : far ? 0 : bell * bell;
  }
}
