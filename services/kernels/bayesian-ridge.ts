import { addScaled, dotProduct } from "./dot-product.js";
import { sum } from "./sum.js";

/** scikit-learn's defaults: the gamma priors' shapes and rates, the rounds, and the change of all coefficients that ends them. */
const prior = 1e-6;
const maxRounds = 300;
const tolerance = 1e-3;

/** What scikit-learn adds to the variance of y, against a division by 0. */
const epsilon = 2 ** -52;

/** The square of a column's length below which it has lost bits: nothing to these priors. */
const smallestSafeSquare = 2 ** -900;

/** y ≈ `targetMean` + Σ `coefficients[j]` · (x_j − `means[j]`). */
export interface RidgeFit {
  readonly coefficients: Float64Array;
  readonly means: Float64Array;
  readonly targetMean: number;
}

/**
 * scikit-learn `BayesianRidge()`: a linear regression whose ridge is found by evidence (MacKay 1992), with its rounds and its
 * stopping rule (sklearn/linear_model/_bayes.py). `table` holds `columns` columns of `rows` finite numbers, each column in one
 * piece, and behind them the target; it is overwritten.
 *
 * scikit-learn squares the condition of X by its product with y. Here X is reduced to a triangle by Householder reflections, and
 * each round's ridge appended and eliminated again: columns of unlike scales, and those that depend on each other, keep their
 * digits (Golub, Van Loan 2013, "Matrix computations", 5.3 and 6.1). Only + − × ÷ and square root. NaN where a square overflows.
 */
export function fitBayesianRidge(table: Float64Array, rows: number, columns: number): RidgeFit {
  const means = new Float64Array(columns + 1);
  for (let j = 0; j <= columns; j++) means[j] = centre(table, j * rows, rows);
  const squares = dotProduct(table, columns * rows, table, columns * rows, rows);
  triangulate(table, rows, columns);
  const system = systemOf(table, rows, columns);
  return {
    coefficients: findCoefficients(system, rows, 1 / (squares / rows + epsilon)),
    means: means.subarray(0, columns),
    targetMean: means[columns],
  };
}

/** Takes the mean off and returns it. */
function centre(table: Float64Array, offset: number, rows: number): number {
  const rough = sum(table, offset, offset + rows) / rows;
  for (let i = offset; i < offset + rows; i++) table[i] -= rough;
  return rough;
}

/** Zeroes what is below the diagonal of the first `columns` columns; the target is reflected with them. */
function triangulate(table: Float64Array, rows: number, columns: number): void {
  for (let k = 0; k < Math.min(rows, columns); k++) {
    const diagonal = k * rows + k;
    const length = rows - k;
    const head = table[diagonal];
    const square = dotProduct(table, diagonal, table, diagonal, length);
    if (square < smallestSafeSquare) continue;
    const norm = Math.sqrt(square);
    const reflected = head > 0 ? -norm : norm;
    table[diagonal] = head - reflected;
    const scale = 1 / (norm * (norm + Math.abs(head)));
    for (let j = k + 1; j <= columns; j++) {
      const factor = -scale * dotProduct(table, diagonal, table, j * rows + k, length);
      addScaled(table, j * rows + k, factor, table, diagonal, length);
    }
    table[diagonal] = reflected;
  }
}

/** The least-squares problem as a triangle: ‖y − X b‖² = ‖target − triangle b‖² + rest. */
interface System {
  readonly size: number;
  /** Column by column, `size` × `size`. */
  readonly triangle: Float64Array;
  readonly target: Float64Array;
  readonly rest: number;
}

function systemOf(table: Float64Array, rows: number, columns: number): System {
  const triangle = new Float64Array(columns * columns);
  for (let j = 0; j < columns; j++) {
    triangle.set(table.subarray(j * rows, j * rows + Math.min(j + 1, rows)), j * columns);
  }
  const target = new Float64Array(columns);
  const start = columns * rows;
  const known = Math.min(rows, columns);
  target.set(table.subarray(start, start + known));
  const rest = dotProduct(table, start + known, table, start + known, rows - known);
  return { size: columns, triangle, target, rest };
}

/** `alpha` is the precision of the noise, `lambda` that of the coefficients. */
function findCoefficients(system: System, rows: number, firstAlpha: number): Float64Array {
  const { size } = system;
  const work = openRidgeWork(size);
  let alpha = firstAlpha;
  let lambda = 1;
  let coefficients = new Float64Array(size);
  let previous = new Float64Array(size);
  for (let round = 0; round < maxRounds; round++) {
    [previous, coefficients] = [coefficients, previous];
    solveRidge(system, lambda / alpha, work, coefficients);
    const determined = determinedBy(system, work);
    const squares = dotProduct(coefficients, 0, coefficients, 0, size);
    lambda = (determined + 2 * prior) / (squares + 2 * prior);
    alpha = (rows - determined + 2 * prior) / (errorOf(system, coefficients) + 2 * prior);
    if (round > 0 && changeOf(previous, coefficients) < tolerance) break;
  }
  solveRidge(system, lambda / alpha, work, coefficients);
  return coefficients;
}

interface RidgeWork {
  readonly triangle: Float64Array;
  readonly target: Float64Array;
  /** The appended ridge and what reflections make of it: its column k has k + 1 numbers; behind it that of the target. */
  readonly ridge: Float64Array;
  readonly row: Float64Array;
}

function openRidgeWork(size: number): RidgeWork {
  return {
    triangle: new Float64Array(size * size),
    target: new Float64Array(size),
    ridge: new Float64Array(size * (size + 1)),
    row: new Float64Array(size),
  };
}

/** Writes the b that minimises ‖target − triangle b‖² + ridge ‖b‖²; the eliminated triangle is left in `work`. */
function solveRidge(system: System, ridge: number, work: RidgeWork, coefficients: Float64Array): void {
  const { size } = system;
  const { triangle, target } = work;
  triangle.set(system.triangle);
  target.set(system.target);
  work.ridge.fill(0);
  const root = Math.sqrt(ridge);
  for (let k = 0; k < size; k++) work.ridge[k * size + k] = root;
  for (let k = 0; k < size; k++) eliminate(work, size, k);
  for (let j = size - 1; j >= 0; j--) {
    coefficients[j] = target[j] / triangle[j * size + j];
    addScaled(target, 0, -coefficients[j], triangle, j * size, j);
  }
}

/** Reflects column k of the ridge into the triangle's diagonal. */
function eliminate({ triangle, target, ridge }: RidgeWork, size: number, k: number): void {
  const column = k * size;
  const head = triangle[column + k];
  const norm = Math.sqrt(head * head + dotProduct(ridge, column, ridge, column, k + 1));
  const reflected = head > 0 ? -norm : norm;
  const first = head - reflected;
  const scale = 1 / (norm * (norm + Math.abs(head)));
  triangle[column + k] = reflected;
  for (let j = k + 1; j < size; j++) {
    const at = j * size + k;
    const factor = -scale * (first * triangle[at] + dotProduct(ridge, column, ridge, j * size, k + 1));
    triangle[at] += factor * first;
    addScaled(ridge, j * size, factor, ridge, column, k + 1);
  }
  const ofTarget = size * size;
  const factor = -scale * (first * target[k] + dotProduct(ridge, column, ridge, ofTarget, k + 1));
  target[k] += factor * first;
  addScaled(ridge, ofTarget, factor, ridge, column, k + 1);
}

/**
 * How many coefficients the data determine: Σ e / (e + ridge) over the eigenvalues e of XᵀX. As the squares of what the
 * reflections hold of the triangle, triangle · eliminated⁻¹, so that nothing cancels.
 */
function determinedBy(system: System, { triangle, row }: RidgeWork): number {
  const { size } = system;
  let total = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const known = dotProduct(row, i, triangle, j * size + i, j - i);
      row[j] = (system.triangle[j * size + i] - known) / triangle[j * size + j];
    }
    total += dotProduct(row, i, row, i, size - i);
  }
  return total;
}

function errorOf({ size, triangle, target, rest }: System, coefficients: Float64Array): number {
  const error = target.slice();
  for (let j = 0; j < size; j++) addScaled(error, 0, -coefficients[j], triangle, j * size, j + 1);
  return dotProduct(error, 0, error, 0, size) + rest;
}

function changeOf(before: Float64Array, after: Float64Array): number {
  let change = 0;
  for (let j = 0; j < after.length; j++) change += Math.abs(before[j] - after[j]);
  return change;
}
