import { mean } from "../mean-and-deviation.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillCell } from "./gaps.js";
import { linearFill } from "./linear.js";

export interface SeasonalOptions extends WindowOptions {
  /** How many samples one season has. */
  readonly periodSamples: number;
  /** The time from sample to sample, in milliseconds. */
  readonly intervalMs: number;
}

export const seasonalImputer: ImputerDeclaration<SeasonalOptions> = {
  name: "seasonal",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: true,
};

/**
 * Fills gaps by the season of the window and the line between the gap's neighbours without it. The season is the mean of each
 * phase less the mean of all phases, as statsmodels `seasonal_decompose` has it, once the trend is taken off: here the slope
 * common to all phases (least squares of the values less their phase's mean), which a gap does not bend. A sample's phase is
 * its interval's number since the epoch, modulo the period, so a lost sample does not shift the others. A phase without values
 * has the season between its neighbours', around the period. Arguments and results as of `linearFill`.
 */
export function seasonalFill(
  options: SeasonalOptions,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
): void {
  const { periodSamples, intervalMs } = options;
  const times = timestamps.slice(first, end);
  const phases = Int32Array.from(times, (ms) => phaseOf(ms, intervalMs, periodSamples));
  const window = values.slice(first, end);
  const season = seasonOf(times, window, phases, periodSamples);
  const deseasonalised = window.map((value, i) => value - season[phases[i]]);
  linearFill(options, times, deseasonalised, 0, window.length, out, filled, outOffset);
  for (let i = 0; i < window.length; i++) {
    const at = outOffset + i;
    const isFilled = filled[at] === 1;
    const value = out[at] + season[phases[i]];
    filled[at] = 0;
    out[at] = window[i];
    if (isFilled) fillCell(out, filled, at, value);
  }
}

function phaseOf(ms: number, intervalMs: number, periodSamples: number): number {
  const phase = Math.floor(ms / intervalMs) % periodSamples;
  return phase < 0 ? phase + periodSamples : phase;
}

/** The season by phase; all NaN where no value is. */
function seasonOf(
  times: Float64Array,
  window: Float64Array,
  phases: Int32Array,
  periodSamples: number,
): Float64Array {
  const present = Int32Array.from(window.keys()).filter((i) => window[i] - window[i] === 0);
  const from = present.length > 0 ? times[present[0]] : 0;
  const values = Float64Array.from(present, (i) => window[i]);
  const elapsed = Float64Array.from(present, (i) => times[i] - from);
  const phase = phases.filter((_, i) => window[i] - window[i] === 0);
  const slope = commonSlope(elapsed, values, phase, periodSamples);
  const detrended = values.map((value, i) => value - slope * elapsed[i]);
  const season = meansByPhase(detrended, phase, periodSamples);
  fillAround(season);
  const level = meanOf(season);
  return season.map((value) => value - level);
}

/** The slope of all phases together: 0 where no phase has two values. */
function commonSlope(
  elapsed: Float64Array,
  values: Float64Array,
  phase: Int32Array,
  periodSamples: number,
): number {
  const middles = meansByPhase(elapsed, phase, periodSamples);
  const levels = meansByPhase(values, phase, periodSamples);
  let products = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = elapsed[i] - middles[phase[i]];
    products += distance * (values[i] - levels[phase[i]]);
    squares += distance * distance;
  }
  return squares > 0 ? products / squares : 0;
}

function meansByPhase(values: Float64Array, phase: Int32Array, periodSamples: number): Float64Array {
  const members = Array.from({ length: periodSamples }, (): number[] => []);
  values.forEach((value, i) => members[phase[i]].push(value));
  return Float64Array.from(members, (some) => meanOf(Float64Array.from(some)));
}

function meanOf(values: Float64Array): number {
  return mean(values, 0, values.length);
}

/** Straight lines over the phases that are NaN, around the end of the period. */
function fillAround(season: Float64Array): void {
  const thrice = new Float64Array(3 * season.length);
  for (let turn = 0; turn < 3; turn++) thrice.set(season, turn * season.length);
  const out = new Float64Array(thrice.length);
  const places = Float64Array.from(thrice.keys());
  const anyGap = { maxGapMs: Infinity };
  linearFill(anyGap, places, thrice, 0, thrice.length, out, new Uint8Array(thrice.length), 0);
  season.set(out.subarray(season.length, 2 * season.length));
}
