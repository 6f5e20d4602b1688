import { addScaled, dotProduct } from "../dot-product.js";
import { symmetricEigen } from "../symmetric-eigen.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { ownUnits, standardColumns } from "./standard-columns.js";

export interface SoftImputeOptions extends WindowOptions {
  /** What each singular value is lowered by, as a share of the largest. The larger, the simpler what the table is taken for. */
  readonly shrinkage: number;
}

/** Fills that move by less than this share of their size stay. */
const tolerance = 1e-5;
const maxRounds = 300;

export const softImputeImputer: ImputerDeclaration<SoftImputeOptions> = {
  name: "matrix_factorization",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: false,
};

/**
 * Fills a table by what it is as a matrix of low rank: SoftImpute (Mazumder, Hastie, Tibshirani 2010, "Spectral regularization
 * algorithms for learning large incomplete matrices", algorithm 1) of the columns brought to mean 0 and deviation 1. From
 * the means on, the missing cells are taken from the table whose singular values are lowered by a constant, until they stay.
 * Deterministic; for up to some 200 columns or rows. Arguments and results as of `meanFill`.
 *
 * The singular vectors are those of the columns' products with each other, which squares the condition: of singular values
 * above the shrinkage, the only ones that count, that costs log2(1 / shrinkage²) bits.
 */
export function softImputeFill(
  options: SoftImputeOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  const columnScales = standardColumns(values, columns);
  const matrix = linesOf(columnScales.standard, columns);
  complete(matrix, options.shrinkage);
  const estimates = new Float64Array(values.length);
  const { lineOf, placeOf } = matrix;
  for (let i = 0; i < values.length; i++) {
    estimates[i] = matrix.cells[lineOf(i) * matrix.length + placeOf(i)];
  }
  const fillable = fillableCells(timestamps, values, columns, options.maxGapMs);
  fillFrom(ownUnits(estimates, columnScales), values, fillable, out, filled);
}

/** The table as lines in one piece each: its columns, or its rows where these are fewer. */
interface Lines {
  readonly cells: Float64Array;
  readonly lines: number;
  readonly length: number;
  /** Indices of the missing among `cells`. */
  readonly missing: Int32Array;
  readonly lineOf: (cell: number) => number;
  readonly placeOf: (cell: number) => number;
}

function linesOf(standard: Float64Array, columns: number): Lines {
  const rows = columns === 0 ? 0 : standard.length / columns;
  const byColumn = columns <= rows;
  const [lines, length] = byColumn ? [columns, rows] : [rows, columns];
  const rowOf = (cell: number): number => Math.floor(cell / columns);
  const columnOf = (cell: number): number => cell % columns;
  const [lineOf, placeOf] = byColumn ? [columnOf, rowOf] : [rowOf, columnOf];
  const cells = new Float64Array(standard.length);
  standard.forEach((value, cell) => (cells[lineOf(cell) * length + placeOf(cell)] = value));
  const missing = Int32Array.from(cells.keys()).filter((i) => Number.isNaN(cells[i]));
  for (const i of missing) cells[i] = 0;
  return { cells, lines, length, missing, lineOf, placeOf };
}

/** Changes the missing cells until they stay. */
function complete(matrix: Lines, shrinkage: number): void {
  let lowering = -1;
  for (let round = 0; round < maxRounds; round++) {
    const { values, vectors } = symmetricEigen(productsOf(matrix), matrix.lines);
    const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
    if (lowering < 0) lowering = shrinkage * singular.reduce((most, value) => Math.max(most, value), 0);
    if (updateMissing(matrix, singular, vectors, lowering) < tolerance) return;
  }
}

/** Each line's product with each other. */
function productsOf({ cells, lines, length }: Lines): Float64Array {
  const products = new Float64Array(lines * lines);
  for (let a = 0; a < lines; a++) {
    for (let b = a; b < lines; b++) {
      const product = dotProduct(cells, a * length, cells, b * length, length);
      products[a * lines + b] = product;
      products[b * lines + a] = product;
    }
  }
  return products;
}

/**
 * Takes the missing cells from Σ (1 − lowering / σ) v vᵀ · table over the singular values σ above `lowering`, and returns by what
 * share of their size before they moved.
 */
function updateMissing(
  { cells, lines, length, missing }: Lines,
  singular: Float64Array,
  vectors: Float64Array,
  lowering: number,
): number {
  const next = new Float64Array(missing.length);
  const projection = new Float64Array(length);
  for (let k = 0; k < lines; k++) {
    if (!(singular[k] > lowering)) continue;
    projection.fill(0);
    for (let a = 0; a < lines; a++)
      addScaled(projection, 0, vectors[k * lines + a], cells, a * length, length);
    const share = 1 - lowering / singular[k];
    for (let i = 0; i < missing.length; i++) {
      const line = Math.floor(missing[i] / length);
      next[i] += share * vectors[k * lines + line] * projection[missing[i] - line * length];
    }
  }
  let moved = 0;
  let size = 0;
  for (let i = 0; i < missing.length; i++) {
    const before = cells[missing[i]];
    moved += (next[i] - before) * (next[i] - before);
    size += before * before;
    cells[missing[i]] = next[i];
  }
  return moved === 0 ? 0 : Math.sqrt(moved / size);
}
