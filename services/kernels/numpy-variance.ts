/** numpy adds so many numbers in a row before it halves the rest. */
const blockLength = 128;

/**
 * numpy's `values[first:end].var() * (end - first)`, to the bit: for choices among sums of squares that must fall
 * as they fall there, also where two are equal but for rounding. Needs at least one value.
 */
export function numpySquares(values: Float64Array, first: number, end: number): number {
  const count = end - first;
  const mean = pairwiseSum(values, first, end) / count;
  return (pairwiseSquares(values, first, end, mean) / count) * count;
}

/** numpy's sum (`pairwise_sum` of its loops): eight lanes in a block, and blocks halved. */
function pairwiseSum(values: Float64Array, first: number, end: number): number {
  const count = end - first;
  if (count > blockLength) {
    const middle = first + halfOf(count);
    return pairwiseSum(values, first, middle) + pairwiseSum(values, middle, end);
  }
  let i = first;
  let total = 0;
  if (count >= 8) {
    let a = values[i];
    let b = values[i + 1];
    let c = values[i + 2];
    let d = values[i + 3];
    let e = values[i + 4];
    let f = values[i + 5];
    let g = values[i + 6];
    let h = values[i + 7];
    for (i += 8; i + 7 < end; i += 8) {
      a += values[i];
      b += values[i + 1];
      c += values[i + 2];
      d += values[i + 3];
      e += values[i + 4];
      f += values[i + 5];
      g += values[i + 6];
      h += values[i + 7];
    }
    total = a + b + (c + d) + (e + f + (g + h));
  }
  for (; i < end; i++) total += values[i];
  return total;
}

/** The same of the squared differences from `mean`. */
function pairwiseSquares(values: Float64Array, first: number, end: number, mean: number): number {
  const count = end - first;
  if (count > blockLength) {
    const middle = first + halfOf(count);
    return pairwiseSquares(values, first, middle, mean) + pairwiseSquares(values, middle, end, mean);
  }
  let i = first;
  let total = 0;
  if (count >= 8) {
    let a = square(values[i] - mean);
    let b = square(values[i + 1] - mean);
    let c = square(values[i + 2] - mean);
    let d = square(values[i + 3] - mean);
    let e = square(values[i + 4] - mean);
    let f = square(values[i + 5] - mean);
    let g = square(values[i + 6] - mean);
    let h = square(values[i + 7] - mean);
    for (i += 8; i + 7 < end; i += 8) {
      a += square(values[i] - mean);
      b += square(values[i + 1] - mean);
      c += square(values[i + 2] - mean);
      d += square(values[i + 3] - mean);
      e += square(values[i + 4] - mean);
      f += square(values[i + 5] - mean);
      g += square(values[i + 6] - mean);
      h += square(values[i + 7] - mean);
    }
    total = a + b + (c + d) + (e + f + (g + h));
  }
  for (; i < end; i++) total += square(values[i] - mean);
  return total;
}

function halfOf(count: number): number {
  const half = count >>> 1;
  return half - (half % 8);
}

function square(x: number): number {
  return x * x;
}
