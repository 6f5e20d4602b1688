/**
 * Writes e^(−2πik/n), k = 0 … n − 1, as n pairs of real and imaginary part, within an ulp or two. With + − × ÷
 * only: the same bits in every engine, which `Math.sin` does not promise. Angles are reduced to an eighth of
 * the circle in integers, where they are exact; then the series of sine and cosine, as far as doubles see them.
 */
export function unitRoots(n: number): Float64Array {
  const roots = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    // Eighths of the circle: k / n = (eighth + rest / n) / 8.
    const eighth = Math.floor((8 * k) / n);
    const rest = 8 * k - eighth * n;
    // Odd eighths are measured backwards from their end, so that no angle is larger than π/4.
    const angle = ((eighth % 2 === 0 ? rest : n - rest) / n) * (Math.PI / 4);
    const isSwapped = ((eighth + 1) >> 1) % 2 === 1;
    const across = isSwapped ? sine(angle) : cosine(angle);
    const up = isSwapped ? cosine(angle) : sine(angle);
    roots[2 * k] = eighth >= 2 && eighth < 6 ? -across : across;
    roots[2 * k + 1] = eighth < 4 ? -up : up;
  }
  return roots;
}

/** Taylor's series to x^17 ÷ 17!, for 0 ≤ x ≤ π/4. */
function sine(x: number): number {
  const square = x * x;
  let series = 1;
  for (let k = 16; k >= 2; k -= 2) series = 1 - (series * square) / (k * (k + 1));
  return series * x;
}

/** Taylor's series to x^18 ÷ 18!, for 0 ≤ x ≤ π/4. */
function cosine(x: number): number {
  const square = x * x;
  let series = 1;
  for (let k = 17; k >= 1; k -= 2) series = 1 - (series * square) / (k * (k + 1));
  return series;
}
