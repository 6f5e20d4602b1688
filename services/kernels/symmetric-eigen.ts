import { addScaled, dotProduct } from "./dot-product.js";

/** Each eigenvalue takes about two turns; more than these mean that a number is not finite. */
const maxTurns = 60;

/** The square of a mirror's length below which it has lost bits; what it would mirror is nothing, then. */
const smallestSafeSquare = 2 ** -900;

export interface Eigen {
  /** In no order. */
  readonly values: Float64Array;
  /** Row k, `size` numbers, is the unit eigenvector of `values[k]`. */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix (row-major, `size` × `size`): Householder's reduction to three diagonals,
 * then QL with implicit shifts (Golub, Van Loan 2013, "Matrix computations", 8.3). Errors are of the size of the largest
 * eigenvalue's rounding. The same bits everywhere: only + − × ÷ and square root, in an order that depends on the numbers only.
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const scale = scaleOf(matrix);
  const work = matrix.map((value) => value * scale);
  const values = new Float64Array(size);
  const beside = new Float64Array(size);
  const scales = reduce(work, size, values, beside);
  const vectors = accumulate(work, size, scales);
  for (let low = 0; low < size; low++) {
    for (let turn = 0; turn < maxTurns; turn++) {
      const high = blockEnd(values, beside, low);
      if (high === low) break;
      chase(values, beside, vectors, size, low, high);
    }
  }
  return { values: values.map((value) => value / scale), vectors };
}

/** A power of two, so exact, that keeps squares within the range of doubles. */
function scaleOf(matrix: Float64Array): number {
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest > 2 ** 300 ? 2 ** -600 : largest < 2 ** -300 ? 2 ** 800 : 1;
}

/**
 * Writes the diagonal and, in `beside[i]`, the element between i and i + 1. Row k of `work` keeps the mirror of step k right of
 * its diagonal, and the scales 2 / ‖mirror‖² are returned.
 */
function reduce(
  work: Float64Array,
  size: number,
  diagonal: Float64Array,
  beside: Float64Array,
): Float64Array {
  const scales = new Float64Array(size);
  const product = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    diagonal[k] = work[k * size + k];
    if (k === size - 1) break;
    const mirror = k * size + k + 1;
    const length = size - k - 1;
    const head = work[mirror];
    const square = dotProduct(work, mirror, work, mirror, length);
    if (square < smallestSafeSquare) continue;
    const norm = Math.sqrt(square);
    beside[k] = head > 0 ? -norm : norm;
    work[mirror] = head - beside[k];
    scales[k] = 1 / (norm * (norm + Math.abs(head)));
    reflectBothSides(work, size, k, scales[k], product);
  }
  return scales;
}

/** A − v wᵀ − w vᵀ, where w = scale · A v less its part along v. */
function reflectBothSides(
  work: Float64Array,
  size: number,
  k: number,
  scale: number,
  product: Float64Array,
): void {
  const mirror = k * size + k + 1;
  const length = size - k - 1;
  for (let i = 0; i < length; i++) {
    product[i] = scale * dotProduct(work, (k + 1 + i) * size + k + 1, work, mirror, length);
  }
  addScaled(product, 0, -0.5 * scale * dotProduct(product, 0, work, mirror, length), work, mirror, length);
  for (let i = 0; i < length; i++) {
    const row = (k + 1 + i) * size + k + 1;
    const ofMirror = product[i];
    const ofProduct = work[mirror + i];
    for (let j = 0; j < length; j++) work[row + j] -= ofMirror * work[mirror + j] + ofProduct * product[j];
  }
}

/** All the reflections together, transposed. */
function accumulate(work: Float64Array, size: number, scales: Float64Array): Float64Array {
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let k = size - 2; k >= 0; k--) {
    const mirror = k * size + k + 1;
    const length = size - k - 1;
    for (let row = k + 1; row < size; row++) {
      const at = row * size + k + 1;
      const along = dotProduct(vectors, at, work, mirror, length);
      addScaled(vectors, at, -scales[k] * along, work, mirror, length);
    }
  }
  return vectors;
}

/** The first index from `low` on whose element beside is nothing next to the diagonal. */
function blockEnd(diagonal: Float64Array, beside: Float64Array, low: number): number {
  let high = low;
  for (; high < diagonal.length - 1; high++) {
    const size = Math.abs(diagonal[high]) + Math.abs(diagonal[high + 1]);
    if (size + Math.abs(beside[high]) === size) break;
  }
  return high;
}

/** One turn of QL on the block `low ... high`, with Wilkinson's shift. */
function chase(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  size: number,
  low: number,
  high: number,
): void {
  const half = (diagonal[low + 1] - diagonal[low]) / (2 * beside[low]);
  const root = length(half, 1);
  let g = diagonal[high] - diagonal[low] + beside[low] / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let moved = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * beside[i];
    const b = cosine * beside[i];
    const r = length(f, g);
    beside[i + 1] = r;
    if (r === 0) {
      diagonal[i + 1] -= moved;
      beside[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const shifted = diagonal[i + 1] - moved;
    const t = (diagonal[i] - shifted) * sine + 2 * cosine * b;
    moved = sine * t;
    diagonal[i + 1] = shifted + moved;
    g = cosine * t - b;
    rotate(vectors, i * size, size, sine, cosine);
  }
  diagonal[low] -= moved;
  beside[low] = g;
  beside[high] = 0;
}

/** The row at `at` and the one behind it. */
function rotate(vectors: Float64Array, at: number, size: number, sine: number, cosine: number): void {
  for (let j = at; j < at + size; j++) {
    const upper = vectors[j];
    const lower = vectors[j + size];
    vectors[j + size] = sine * upper + cosine * lower;
    vectors[j] = cosine * upper - sine * lower;
  }
}

/** √(a² + b²) without overflow; `Math.hypot` may differ between engines. */
function length(a: number, b: number): number {
  const large = Math.max(Math.abs(a), Math.abs(b));
  const small = Math.min(Math.abs(a), Math.abs(b));
  return large === 0 ? 0 : large * Math.sqrt(1 + (small / large) * (small / large));
}
