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
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  let lowestX = Infinity;
  let lowestY = Infinity;
  let highestX = -Infinity;
  let highestY = -Infinity;
  for (let i = first; i < end; i++) {
    if (!isPair(x[i], y[i])) continue;
    count++;
    sumX += x[i];
    sumY += y[i];
    lowestX = Math.min(lowestX, x[i]);
    lowestY = Math.min(lowestY, y[i]);
    highestX = Math.max(highestX, x[i]);
    highestY = Math.max(highestY, y[i]);
  }
  if (count < Math.max(2, minimumPairs) || lowestX === highestX || lowestY === highestY) return NaN;
  const unitX = safeUnit(Math.max(-lowestX, highestX));
  const unitY = safeUnit(Math.max(-lowestY, highestY));
  // Where the sum overflows or is of denormals, any value is a mean that is rough enough.
  const roughX = unitX === 1 ? sumX / count : lowestX * unitX;
  const roughY = unitY === 1 ? sumY / count : lowestY * unitY;
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
  const result = covariance / Math.sqrt(varianceX * varianceY);
  return Math.max(-1, Math.min(1, result));
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
