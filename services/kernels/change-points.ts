import { noiseShare } from "./iqr.js";
import { openPeltScratch, loadFinite, segment, type PeltScratch } from "./pelt.js";
import { percentileOfSorted } from "./percentile.js";

/** What is kept for reuse: without influence on any result. */
export interface ChangePointScratch {
  pelt: PeltScratch;
  steps: Float64Array;
  points: Int32Array;
}

export function openChangePointScratch(): ChangePointScratch {
  return { pelt: openPeltScratch(), steps: new Float64Array(64), points: new Int32Array(64) };
}

/** The median size of a step between two independent normal values, in standard deviations: 0.6745 · √2. */
const medianStep = 0.9538725524089398;

/** The mean size of such a step: 2 / √π. */
const meanStep = 1.1283791670955126;

/** Fewer values cannot be cut into two segments. */
const fewestValues = 4;

/**
 * The penalty β = 2 σ² ln n / `sensitivity` of n values for `pelt`, in squares of their unit. All values must
 * be finite; scales beyond 2^±400 overflow (`changePoints` does not).
 *
 * A change costs two parameters, its place and its new mean: 2 σ² ln n is their price by Schwarz's criterion.
 * σ is the noise, from the median size of the steps between neighbours: a change of the level is one step among
 * many, so it does not hide itself. Where more than half of the steps are 0 (idle metrics, whole numbers) the
 * mean takes the median's place. Less than 1e-12 of the largest value is rounding. A `sensitivity` of 1
 * suits independent noise; of 2 makes changes half as large in squares count, of 0.1 suits values that drift.
 */
export function changePenalty(
  scratch: ChangePointScratch,
  values: Float64Array,
  first: number,
  end: number,
  sensitivity: number,
): number {
  const count = end - first;
  if (scratch.steps.length < count) scratch.steps = new Float64Array(2 * count);
  const steps = scratch.steps.subarray(0, Math.max(0, count - 1));
  let largest = 0;
  let total = 0;
  for (let i = first; i < end; i++) {
    largest = Math.max(largest, Math.abs(values[i]));
    if (i > first) total += steps[i - first - 1] = Math.abs(values[i] - values[i - 1]);
  }
  steps.sort();
  const median = percentileOfSorted(steps, 0, steps.length, 0.5);
  const sigma = median > 0 ? median / medianStep : total / (count - 1) / meanStep;
  return (2 * Math.max(sigma, noiseShare * largest) ** 2 * naturalLogarithm(count)) / sensitivity;
}

/** ln n by + − × ÷ only, for the same bits in every engine: by halving, and the series of artanh. */
function naturalLogarithm(n: number): number {
  let halvings = 0;
  let rest = n;
  for (; rest > 1.5; rest /= 2) halvings++;
  const z = (rest - 1) / (rest + 1);
  let series = 0;
  for (let odd = 25; odd >= 1; odd -= 2) series = series * z * z + 1 / odd;
  return halvings * Math.LN2 + 2 * z * series;
}

/**
 * As `pelt`, with the penalty that `changePenalty` gives for the finite values: change points of the mean, as
 * indices in `values`, into `out`.
 */
export function changePoints(
  scratch: ChangePointScratch,
  values: Float64Array,
  first: number,
  end: number,
  sensitivity: number,
  out: Int32Array,
): number {
  loadFinite(scratch.pelt, values, first, end);
  const { count, values: loaded } = scratch.pelt;
  if (count < fewestValues) return 0;
  return segment(scratch.pelt, changePenalty(scratch, loaded, 0, count, sensitivity), out);
}

/**
 * The feature `change_point` of the row at `end - 1`: seconds since the newest change point of the window
 * `first ... end - 1`, which is the age of the present level. The window's length where nothing changed in it, so that a model
 * always has a number, and a larger one means more settled; NaN for fewer than four finite values.
 *
 * A change may show at its first sample, then as one sample earlier, since a segment has at least two; its place
 * may move while few samples follow it.
 */
export function secondsSinceChange(
  scratch: ChangePointScratch,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  windowMs: number,
  sensitivity: number,
): number {
  if (scratch.points.length < end - first) scratch.points = new Int32Array(2 * (end - first));
  const count = changePoints(scratch, values, first, end, sensitivity, scratch.points);
  if (scratch.pelt.count < fewestValues) return NaN;
  return (count === 0 ? windowMs : timestamps[end - 1] - timestamps[scratch.points[count - 1]]) / 1000;
}
