import { numpySquares } from "./numpy-variance.js";
import { sum } from "./sum.js";

/** Shorter segments there are none. */
const smallestSegment = 2;

/** What a search needs, for reuse: without influence on any result. Grows with the window. */
export interface PeltScratch {
  /** How many finite values were loaded, and by which power of two they were multiplied. */
  count: number;
  scale: number;
  values: Float64Array;
  /** Where each of them stands in the caller's array. */
  indices: Int32Array;
  /** For the beginning of the window up to each t, `cellsPerEnd` numbers (below). */
  cells: Float64Array;
  /** What ruptures has for the total of t, to the bit; NaN until it is asked for. */
  exactTotals: Float64Array;
  /** Where the last segment of the best segmentation up to t begins. */
  previous: Int32Array;
  /** Where the last segment may yet begin, ascending. */
  candidates: Int32Array;
  /** The total over each of them, up to the end in hand. */
  trials: Float64Array;
  /** From which end on it is doubtful whether ruptures still has this candidate; 0 for no doubt. */
  doubtfulFrom: Int32Array;
  /** Ends whose exact total is yet to be added up. */
  pending: Int32Array;
}

/** Sum of the centred values before t, and what rounding took from it. */
const sumCell = 0;
const sumLossCell = 1;
/** Sum of their squares, and what rounding took from it. */
const squareCell = 2;
const squareLossCell = 3;
/** Total of the best segmentation up to t: squares about the segments' means, and a penalty a segment. */
const totalCell = 4;
const cellsPerEnd = 5;

export function openPeltScratch(): PeltScratch {
  return { count: 0, scale: 1, ...buffersFor(64) };
}

function buffersFor(size: number): Omit<PeltScratch, "count" | "scale"> {
  return {
    values: new Float64Array(size),
    indices: new Int32Array(size),
    cells: new Float64Array((size + 1) * cellsPerEnd),
    exactTotals: new Float64Array(size + 1),
    previous: new Int32Array(size + 1),
    candidates: new Int32Array(size + 1),
    trials: new Float64Array(size + 1),
    doubtfulFrom: new Int32Array(size + 1),
    pending: new Int32Array(size + 1),
  };
}

/**
 * Change points of the mean of the finite ones of `values[first ... end - 1]`: writes the indices in `values`
 * at which a new segment begins to `out`, ascending, and returns their number, at most half as many as values.
 * `penalty` (0 or more) is in squares of the values' unit.
 *
 * Exactly those of `ruptures.Pelt(model="l2", min_size=2, jump=1).predict(pen=penalty)` but for the end of the
 * signal, which that counts too, and for constants, of which ruptures may cut up the rounding. Values beyond
 * 2^±400 are scaled by a power of two, since their squares would not be doubles.
 */
export function pelt(
  scratch: PeltScratch,
  values: Float64Array,
  first: number,
  end: number,
  penalty: number,
  out: Int32Array,
): number {
  loadFinite(scratch, values, first, end);
  return segment(scratch, penalty * scratch.scale * scratch.scale, out);
}

/** Puts the finite values into the scratch. */
export function loadFinite(scratch: PeltScratch, values: Float64Array, first: number, end: number): void {
  if (scratch.values.length < end - first) Object.assign(scratch, buffersFor(2 * (end - first)));
  let count = 0;
  let largest = 0;
  for (let i = first; i < end; i++) {
    const size = Math.abs(values[i]);
    if (!(size < Infinity)) continue;
    if (size > largest) largest = size;
    scratch.values[count] = values[i];
    scratch.indices[count++] = i;
  }
  scratch.count = count;
  scratch.scale = largest > 2 ** 400 ? 2 ** -650 : largest < 2 ** -400 ? 2 ** 700 : 1;
  if (scratch.scale !== 1) for (let i = 0; i < count; i++) scratch.values[i] *= scratch.scale;
}

/** As `pelt`, of the values that were loaded; `penalty` is in squares of their scaled unit. */
export function segment(scratch: PeltScratch, penalty: number, out: Int32Array): number {
  const { count, values, indices, previous } = scratch;
  if (count < 2 * smallestSegment || !(penalty < Infinity) || isConstant(values, count)) return 0;
  const noise = accumulate(scratch);
  search(scratch, penalty, noise);
  let points = 0;
  for (let t = previous[count]; t > 0; t = previous[t]) out[points++] = indices[t];
  out.subarray(0, points).reverse();
  return points;
}

function isConstant(values: Float64Array, count: number): boolean {
  let i = 1;
  while (i < count && values[i] === values[0]) i++;
  return i === count;
}

/**
 * Adds up the centred values and their squares in twice the precision (Sum2 of Ogita, Rump, Oishi 2005), so
 * that the cost of a segment is off by a few last bits of the squares in it. Returns how far a total may be off
 * from numpy's, but for what grows with the total: of that, numpy's means are off by the level's last bits.
 */
function accumulate({ count, values, cells }: PeltScratch): number {
  const mean = sum(values, 0, count) / count;
  let total = 0;
  let loss = 0;
  let squares = 0;
  let squaresLoss = 0;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const cell = i * cellsPerEnd;
    cells[cell + sumCell] = total;
    cells[cell + sumLossCell] = loss;
    cells[cell + squareCell] = squares;
    cells[cell + squareLossCell] = squaresLoss;
    const centred = values[i] - mean;
    const next = total + centred;
    const taken = next - total;
    loss += total - (next - taken) + (centred - taken);
    total = next;
    const square = centred * centred;
    const nextSquares = squares + square;
    const takenSquares = nextSquares - squares;
    squaresLoss += squares - (nextSquares - takenSquares) + (square - takenSquares);
    squares = nextSquares;
    largest = Math.max(largest, Math.abs(values[i]));
  }
  const cell = count * cellsPerEnd;
  cells[cell + sumCell] = total;
  cells[cell + sumLossCell] = loss;
  cells[cell + squareCell] = squares;
  cells[cell + squareLossCell] = squaresLoss;
  return 2 ** -48 * squares + count * (2 ** -46 * largest) ** 2;
}

/**
 * The recursion of PELT (Killick, Fearnhead, Eckley 2012) as ruptures runs it (ruptures/detection/pelt.py): of
 * equal totals the earliest candidate wins, and a candidate goes once its total exceeds the best one by more
 * than a penalty. A choice that rounding could turn is made on the numbers that ruptures has, to the bit; they
 * cost a pass over the segment, so only where it matters: a candidate that may or may not have gone is kept in
 * doubt until it would win.
 */
function search(scratch: PeltScratch, penalty: number, noise: number): void {
  const { count, cells, exactTotals, previous, candidates, doubtfulFrom, trials } = scratch;
  exactTotals.fill(NaN, 0, count + 1);
  exactTotals[0] = 0;
  doubtfulFrom.fill(0, 0, count + 1);
  cells[totalCell] = 0;
  let size = 0;
  for (let end = smallestSegment; end <= count; end++) {
    // No segmentation ends at 1.
    if (end !== smallestSegment + 1) candidates[size++] = end - smallestSegment;
    const winner = cheapest(scratch, size, end, penalty, noise);
    const total = trials[winner];
    previous[end] = candidates[winner];
    cells[end * cellsPerEnd + totalCell] = total;
    size = prune(scratch, size, end, total + penalty, 3 * toleranceOf(count, total, penalty, noise));
  }
}

/** How far a total and what ruptures has for it may lie apart. */
function toleranceOf(count: number, total: number, penalty: number, noise: number): number {
  return noise + 2 ** -52 * (64 + 2 * count) * (Math.abs(total) + penalty);
}

/** Cost of the segment from the end whose cells begin at `from` to the one at `to`. */
function costBetween(cells: Float64Array, from: number, to: number, length: number): number {
  const difference =
    cells[to + sumCell] - cells[from + sumCell] + (cells[to + sumLossCell] - cells[from + sumLossCell]);
  const squares =
    cells[to + squareCell] -
    cells[from + squareCell] +
    (cells[to + squareLossCell] - cells[from + squareLossCell]);
  return squares - (difference * difference) / length;
}

/** Which of the candidates begins the last segment up to `end`. Fills `trials`. */
function cheapest(scratch: PeltScratch, size: number, end: number, penalty: number, noise: number): number {
  const { cells, candidates, trials } = scratch;
  let low = Infinity;
  let second = Infinity;
  let winner = 0;
  for (let k = 0; k < size; k++) {
    const t = candidates[k];
    const from = t * cellsPerEnd;
    const total = cells[from + totalCell] + (costBetween(cells, from, end * cellsPerEnd, end - t) + penalty);
    trials[k] = total;
    if (total < low) {
      second = low;
      low = total;
      winner = k;
    } else if (total < second) {
      second = total;
    }
  }
  const tolerance = 2 * toleranceOf(scratch.count, low, penalty, noise);
  if (second > low + tolerance && scratch.doubtfulFrom[candidates[winner]] === 0) return winner;
  return exactlyCheapest(scratch, size, end, penalty, noise);
}

/** The same where totals are too near to each other, or the cheapest may have gone. */
function exactlyCheapest(
  scratch: PeltScratch,
  size: number,
  end: number,
  penalty: number,
  noise: number,
): number {
  const { candidates, trials, values } = scratch;
  for (;;) {
    let low = Infinity;
    for (let k = 0; k < size; k++) low = Math.min(low, trials[k]);
    const limit = low + 2 * toleranceOf(scratch.count, low, penalty, noise);
    let winner = -1;
    let best = Infinity;
    for (let k = 0; k < size; k++) {
      if (trials[k] > limit) continue;
      const t = candidates[k];
      if (hasGone(scratch, t, end, penalty, noise)) {
        trials[k] = Infinity;
        continue;
      }
      const total = exactTotal(scratch, t, penalty) + (numpySquares(values, t, end) + penalty);
      if (total < best) {
        best = total;
        winner = k;
      }
    }
    if (winner >= 0) return winner;
  }
}

/** Whether ruptures dropped the candidate `t` before `end`. Ends the doubt where it did not. */
function hasGone(scratch: PeltScratch, t: number, end: number, penalty: number, noise: number): boolean {
  const { cells, doubtfulFrom, values } = scratch;
  if (doubtfulFrom[t] === 0) return false;
  for (let s = doubtfulFrom[t]; s < end; s++) {
    const bound = cells[s * cellsPerEnd + totalCell] + penalty;
    const from = t * cellsPerEnd;
    const total = cells[from + totalCell] + (costBetween(cells, from, s * cellsPerEnd, s - t) + penalty);
    if (total < bound - 4 * toleranceOf(scratch.count, bound, penalty, noise)) continue;
    const exact = exactTotal(scratch, t, penalty) + (numpySquares(values, t, s) + penalty);
    if (!(exact <= exactTotal(scratch, s, penalty) + penalty)) return true;
  }
  doubtfulFrom[t] = 0;
  return false;
}

/** Total of the best segmentation up to `end`, added up as Python does it. */
function exactTotal({ values, exactTotals, previous, pending }: PeltScratch, end: number, penalty: number) {
  let depth = 0;
  for (let t = end; Number.isNaN(exactTotals[t]); t = previous[t]) pending[depth++] = t;
  while (depth > 0) {
    const t = pending[--depth];
    exactTotals[t] = exactTotals[previous[t]] + (numpySquares(values, previous[t], t) + penalty);
  }
  return exactTotals[end];
}

/** Drops the candidates whose total exceeds `bound`, and returns how many are left. */
function prune(scratch: PeltScratch, size: number, end: number, bound: number, tolerance: number): number {
  const { candidates, trials, doubtfulFrom } = scratch;
  let kept = 0;
  for (let k = 0; k < size; k++) {
    const total = trials[k];
    if (total > bound + tolerance) continue;
    const t = candidates[k];
    if (total >= bound - tolerance && doubtfulFrom[t] === 0) doubtfulFrom[t] = end;
    candidates[kept++] = t;
  }
  return kept;
}
