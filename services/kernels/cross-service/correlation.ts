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
  // What rounding did to the means, taken off.
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

/**
 * Writes the correlation of each pair of columns, `pairsOf(columns.length)` numbers, at `out[outOffset]`: 0
 * and 1, 0 and 2, … 1 and 2, …. Arguments as of `correlation`.
 */
export function correlations(
  columns: readonly Float64Array[],
  first: number,
  end: number,
  minimumPairs: number,
  out: Float64Array,
  outOffset: number,
): void {
  let at = outOffset;
  for (let a = 0; a < columns.length; a++)
    for (let b = a + 1; b < columns.length; b++)
      out[at++] = correlation(columns[a], columns[b], first, end, minimumPairs);
}
