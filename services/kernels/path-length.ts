/**
 * How an isolation forest's path lengths become scores. Logarithm and power are computed here by + − × ÷ only, since
 * those of the language may differ between engines in the last bit.
 */

const eulerMascheroni = 0.5772156649015329;
const naturalLogarithmOf2 = Math.LN2;
/** Its first bits, of which small multiples are exact, and the rest. */
const firstBitsOfLn2 = 0.693359375;
const restOfLn2 = -0.00021219444005469057;

/**
 * c(n): the mean depth, in a random binary search tree of `count` values, at which a search for another one ends; 0 for
 * one value or none (Liu, Ting, Zhou 2008, "Isolation forest", equation 1). scikit-learn's `_average_path_length`,
 * which has 1 for two values and 2(ln(n − 1) + γ) − 2(n − 1)/n for more, to an ulp or two.
 */
export function averagePathLength(count: number): number {
  if (count <= 1) return 0;
  if (count === 2) return 1;
  return 2 * (logarithm(count - 1) + eulerMascheroni) - (2 * (count - 1)) / count;
}

/**
 * Path length of a row that ends in a leaf at `depth` with so many rows of the sample, whose average is given; added as
 * scikit-learn adds them, which counts the root as 1.
 */
export function pathLengthOf(depth: number, average: number): number {
  return depth + 1 + average - 1;
}

/**
 * 2^(−`pathLength` / `average`): the score of a row, in (0, 1]. Neither is negative. Where the average is 0, of a forest that
 * has seen but one row, every path is 0, and scores one half, as scikit-learn has it.
 */
export function scoreOfPath(pathLength: number, average: number): number {
  return halvings(average > 0 ? pathLength / average : pathLength + 1);
}

/**
 * Natural logarithm of a whole number, at least 1: with n = 2^k · m and m about 1 it is k ln 2 + 2 artanh((m − 1) / (m +
 * 1)), whose series has converged after ten terms.
 */
function logarithm(whole: number): number {
  let m = whole;
  let k = 0;
  for (; m > Math.SQRT2; m /= 2) k++;
  const s = (m - 1) / (m + 1);
  let series = 0;
  for (let power = 23; power >= 3; power -= 2) series = (series + 1 / power) * (s * s);
  return k * firstBitsOfLn2 + (2 * (s + s * series) + k * restOfLn2);
}

/** 2^(−`times`): whole halvings are exact, and the rest, at most one half, is the series of e^x. */
function halvings(times: number): number {
  const whole = Math.min(Math.round(times), 1100);
  const x = (whole - times) * naturalLogarithmOf2;
  let series = 1;
  for (let term = 16; term >= 1; term--) series = 1 + (series * x) / term;
  for (let i = 0; i < whole; i++) series /= 2;
  return series;
}
