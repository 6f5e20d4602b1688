import { safeUnit } from "../statistics/safe-unit.js";

/**
 * Pearson's correlation of the rows `first ... end - 1` of two columns of an aligned grid, of those rows in
 * which both are finite: pandas `rolling(n, min_periods).corr()`, computed for the window alone, in two passes
 * (pandas adds rows to running sums and takes them off again, and keeps their rounding errors). NaN for fewer
 * than `minimumPairs` rows, at least two, and where one side is constant; never beyond ±1.
 */
export function correlation(
  x: Float64Array,
  y: Float64Array,
  first: number,
  end: number,
  minimumPairs: number,
): number {
  const sides = new Float64Array(2 * sideCells);
  const count = describeSide(x, y, first, end, sides, 0);
  describeSide(y, x, first, end, sides, sideCells);
  const isConstant = sides[isConstantCell] === 1 || sides[sideCells + isConstantCell] === 1;
  if (count < Math.max(2, minimumPairs) || isConstant) return NaN;
  const unitX = sides[unitCell];
  const unitY = sides[sideCells + unitCell];
  const roughX = sides[roughMeanCell];
  const roughY = sides[sideCells + roughMeanCell];
  let onesX = 0;
  let onesY = 0;
  let squaresX = 0;
  let squaresY = 0;
  let products = 0;
  for (let i = first; i < end; i++) {
    if (!isPair(x[i], y[i])) continue;
    const p = x[i] * unitX - roughX;
    const q = y[i] * unitY - roughY;
    onesX += p;
    onesY += q;
    squaresX += p * p;
    squaresY += q * q;
    products += p * q;
  }
  return ofSums(count, onesX, squaresX, onesY, squaresY, products);
}

/** Of sums of distances from rough means: what rounding did to those is taken off. */
function ofSums(
  count: number,
  onesX: number,
  squaresX: number,
  onesY: number,
  squaresY: number,
  products: number,
): number {
  const varianceX = squaresX - (onesX * onesX) / count;
  const varianceY = squaresY - (onesY * onesY) / count;
  const covariance = products - (onesX * onesY) / count;
  return Math.max(-1, Math.min(1, covariance / Math.sqrt(varianceX * varianceY)));
}

/** What `describeSide` writes. */
const unitCell = 0;
const roughMeanCell = 1;
const isConstantCell = 2;
const sideCells = 3;

/**
 * Of the values of `side` that are in pairs: a power of two that makes their squares safe, a rough mean of
 * them times it, whether they are all equal. Returns how many they are.
 */
function describeSide(
  side: Float64Array,
  other: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): number {
  let count = 0;
  let sum = 0;
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = first; i < end; i++) {
    const value = side[i];
    if (!isPair(value, other[i])) continue;
    count++;
    sum += value;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const unit = safeUnit(Math.max(-lowest, highest));
  out[outOffset + unitCell] = unit;
  // Where the sum may overflow, or is of denormals, any value is a mean that is rough enough.
  out[outOffset + roughMeanCell] = unit === 1 ? sum / count : lowest * unit;
  out[outOffset + isConstantCell] = lowest === highest ? 1 : 0;
  return count;
}

function isPair(x: number, y: number): boolean {
  return x - x === 0 && y - y === 0;
}

/** How many pairs so many columns have. */
export function pairsOf(columns: number): number {
  return (columns * (columns - 1)) / 2;
}

/** Room for each column's distances from its mean, and their sums: a cache without influence on any result. */
export interface CorrelationState {
  distances: Float64Array;
  sums: Float64Array;
}

export function openCorrelationState(): CorrelationState {
  return { distances: new Float64Array(0), sums: new Float64Array(0) };
}

/** Of a column: what `describeSide` writes, then these. */
const onesCell = sideCells;
const squaresCell = sideCells + 1;
const isCompleteCell = sideCells + 2;
const columnCells = sideCells + 3;

/**
 * Writes the correlation of each pair of columns, `pairsOf(columns.length)` numbers, at `out[outOffset]`: 0
 * and 1, 0 and 2, … 1 and 2, …. Arguments and results as of `correlation`, bit for bit; what columns without a
 * missing value need is computed once a column, not once a pair.
 */
export function correlations(
  state: CorrelationState,
  columns: readonly Float64Array[],
  first: number,
  end: number,
  minimumPairs: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = end - first;
  makeRoom(state, columns.length, count);
  for (let c = 0; c < columns.length; c++) prepareColumn(state, columns[c], c, first, end);
  const { sums } = state;
  let at = outOffset;
  for (let a = 0; a < columns.length; a++) {
    const x = a * columnCells;
    for (let b = a + 1; b < columns.length; b++) {
      const y = b * columnCells;
      if (sums[x + isCompleteCell] === 0 || sums[y + isCompleteCell] === 0)
        out[at++] = correlation(columns[a], columns[b], first, end, minimumPairs);
      else if (count < Math.max(2, minimumPairs) || sums[x + isConstantCell] + sums[y + isConstantCell] > 0)
        out[at++] = NaN;
      else
        out[at++] = ofSums(
          count,
          sums[x + onesCell],
          sums[x + squaresCell],
          sums[y + onesCell],
          sums[y + squaresCell],
          productsOf(state.distances, a * count, b * count, count),
        );
    }
  }
}

function makeRoom(state: CorrelationState, columns: number, rows: number): void {
  if (state.distances.length < columns * rows) state.distances = new Float64Array(2 * columns * rows);
  if (state.sums.length < columns * columnCells) state.sums = new Float64Array(columns * columnCells);
}

function prepareColumn(
  { distances, sums }: CorrelationState,
  column: Float64Array,
  c: number,
  first: number,
  end: number,
): void {
  const at = c * columnCells;
  const count = end - first;
  const isComplete = describeSide(column, column, first, end, sums, at) === count;
  sums[at + isCompleteCell] = isComplete ? 1 : 0;
  if (!isComplete) return;
  const unit = sums[at + unitCell];
  const rough = sums[at + roughMeanCell];
  let ones = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const distance = column[first + i] * unit - rough;
    distances[c * count + i] = distance;
    ones += distance;
    squares += distance * distance;
  }
  sums[at + onesCell] = ones;
  sums[at + squaresCell] = squares;
}

function productsOf(distances: Float64Array, a: number, b: number, count: number): number {
  let products = 0;
  for (let i = 0; i < count; i++) products += distances[a + i] * distances[b + i];
  return products;
}
