import { sum } from "../sum.js";

/** Where `centralSums` writes what. */
export const roughMeanCell = 0;
export const offsetCell = 1;
export const squaresCell = 2;
export const cubesCell = 3;
export const fourthsCell = 4;
export const centralCells = 5;

/**
 * Writes five numbers at `out[outOffset]`, of the finite `values[first ... end - 1]`, of which no fourth power
 * may overflow: a rough mean; what is between it and the mean, so that a value is above the mean where value −
 * rough mean > offset, even where no double lies between the two; and the sums of the second, third and fourth
 * powers of the distances from the mean.
 *
 * Summed about the rough mean, then moved to the mean: of 1e9 and a little, what rounding does to the mean is
 * much of the little.
 */
export function centralSums(
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  outOffset: number,
): void {
  const count = end - first;
  const rough = sum(values, first, end) / count;
  let ones = 0;
  let twos = 0;
  let threes = 0;
  let fours = 0;
  for (let i = first; i < end; i++) {
    const distance = values[i] - rough;
    const square = distance * distance;
    ones += distance;
    twos += square;
    threes += square * distance;
    fours += square * square;
  }
  const offset = ones / count;
  const squared = offset * offset;
  out[outOffset + roughMeanCell] = rough;
  out[outOffset + offsetCell] = offset;
  out[outOffset + squaresCell] = Math.max(0, twos - ones * offset);
  out[outOffset + cubesCell] = threes - 3 * offset * twos + 2 * ones * squared;
  out[outOffset + fourthsCell] =
    fours - 4 * offset * threes + 6 * squared * twos - 3 * ones * offset * squared;
}

/** The adjusted Fisher-Pearson coefficient G1 of `count` values: pandas `skew()`. NaN below three and for constants. */
export function skewness(count: number, squares: number, cubes: number): number {
  if (count < 3 || squares === 0) return NaN;
  return ((count * Math.sqrt(count - 1)) / (count - 2)) * (cubes / (squares * Math.sqrt(squares)));
}

/** The excess kurtosis G2 of `count` values: pandas `kurt()`. NaN below four and for constants. */
export function kurtosis(count: number, squares: number, fourths: number): number {
  if (count < 4 || squares === 0) return NaN;
  const others = (count - 2) * (count - 3);
  const share = (count * (count + 1) * (count - 1)) / others;
  return share * (fourths / squares / squares) - (3 * (count - 1) * (count - 1)) / others;
}
