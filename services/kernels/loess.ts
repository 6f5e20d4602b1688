/**
 * Local straight lines with tricube weights (Cleveland 1979), as in the STL of statsmodels (`_est` and `_ess` of
 * statsmodels/tsa/stl/_stl.pyx, degree 1, jump 1). The first `count` numbers of `y` stand at x = 1 … count; a line
 * is fitted to the `span` (odd) nearest, or to all where there are no more. `robustness` multiplies their weights;
 * null is 1 for all. `weights` is scratch of `span` numbers.
 */

/** Writes the smoothed numbers to the first `count` of `out`. One stays itself where all its weights are 0. */
export function smoothByLoess(
  y: Float64Array,
  count: number,
  span: number,
  robustness: Float64Array | null,
  weights: Float64Array,
  out: Float64Array,
): void {
  const half = span < count ? (span - 1) / 2 : count;
  for (let x = 1; x <= half; x++) out[x - 1] = fitOr(y[x - 1], x, y, count, span, robustness, weights);
  if (span >= count) return;
  smoothMiddle(y, count, span, robustness, weights, out);
  for (let x = count - half + 1; x <= count; x++)
    out[x - 1] = fitOr(y[x - 1], x, y, count, span, robustness, weights);
}

/** The line of the numbers nearest to `x`, which may lie outside 1 … count, at `x`; `otherwise` for no line. */
export function fitOr(
  otherwise: number,
  x: number,
  y: Float64Array,
  count: number,
  span: number,
  robustness: Float64Array | null,
  weights: Float64Array,
): number {
  const width = Math.min(span, count);
  const left = Math.max(1, Math.min(x - (span - 1) / 2, count - width + 1));
  const beyond = Math.max(0, Math.floor((span - count) / 2));
  tricube(x - left, width, Math.max(x - left, left + width - 1 - x) + beyond, weights);
  return lineAt(otherwise, x, left, y, count, width, robustness, weights);
}

/** Away from the ends all lines have the same tricube weights, and x in their middle. */
function smoothMiddle(
  y: Float64Array,
  count: number,
  span: number,
  robustness: Float64Array | null,
  weights: Float64Array,
  out: Float64Array,
): void {
  const half = (span - 1) / 2;
  tricube(half, span, half, weights);
  if (robustness === null) {
    // A line is its weighted mean there.
    divideBySum(weights, span);
    for (let x = half + 1; x <= count - half; x++) out[x - 1] = weightedSum(weights, span, y, x - 1 - half);
  } else {
    for (let x = half + 1; x <= count - half; x++)
      out[x - 1] = lineAt(y[x - 1], x, x - half, y, count, span, robustness, weights);
  }
}

/** Weights by the distance from the number at index `middle`, which falls to 0 at `reach`. */
function tricube(middle: number, width: number, reach: number, weights: Float64Array): void {
  const nearest = 0.001 * reach;
  const furthest = 0.999 * reach;
  for (let i = 0; i < width; i++) {
    const distance = Math.abs(i - middle);
    const share = distance / reach;
    const bell = 1 - share * share * share;
    weights[i] = distance > furthest ? 0 : distance <= nearest ? 1 : bell * bell * bell;
  }
}

/** The line weighted by `weights` times robustness, of the `width` numbers from `left` on, at `x`. */
function lineAt(
  otherwise: number,
  x: number,
  left: number,
  y: Float64Array,
  count: number,
  width: number,
  robustness: Float64Array | null,
  weights: Float64Array,
): number {
  const from = left - 1;
  let total = 0;
  let moment = 0;
  for (let i = 0; i < width; i++) {
    const weight = robustness === null ? weights[i] : weights[i] * robustness[from + i];
    total += weight;
    moment += weight * i;
  }
  if (total <= 0) return otherwise;
  const center = moment / total;
  let spread = 0;
  let level = 0;
  let slope = 0;
  for (let i = 0; i < width; i++) {
    const weight = robustness === null ? weights[i] : weights[i] * robustness[from + i];
    const distance = i - center;
    spread += weight * distance * distance;
    level += weight * y[from + i];
    slope += weight * distance * y[from + i];
  }
  const variance = spread / total;
  // Weights all at one place give a level, and no slope.
  if (Math.sqrt(variance) <= 0.001 * (count - 1)) return level / total;
  return (level + ((x - left - center) / variance) * slope) / total;
}

function divideBySum(weights: Float64Array, width: number): void {
  let total = 0;
  for (let i = 0; i < width; i++) total += weights[i];
  for (let i = 0; i < width; i++) weights[i] /= total;
}

/** In four lanes, so that an addition need not wait for the one before it. */
function weightedSum(weights: Float64Array, width: number, y: Float64Array, from: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < width; i += 4) {
    a += weights[i] * y[from + i];
    b += weights[i + 1] * y[from + i + 1];
    c += weights[i + 2] * y[from + i + 2];
    d += weights[i + 3] * y[from + i + 3];
  }
  for (; i < width; i++) a += weights[i] * y[from + i];
  return a + b + (c + d);
}
