import { addScaled, dotProduct } from "../dot-product.js";
import { symmetricEigen } from "../symmetric-eigen.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { ownUnits, standardColumns } from "./standard-columns.js";
import { tableColumns } from "./table-columns.js";

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
  const { missing, lineOf, placeOf, across, lines } = matrix;
  for (let i = 0; i < missing.length; i++) estimates[missing[i]] = across[placeOf[i] * lines + lineOf[i]];
  const fillable = fillableCells(timestamps, values, columns, options.maxGapMs);
  fillFrom(ownUnits(estimates, columnScales), values, fillable, out, filled);
}

/** The table as lines in one piece each: its columns, or its rows where these are fewer; and across them. */
interface Lines {
  readonly cells: Float64Array;
  readonly across: Float64Array;
  readonly lines: number;
  readonly length: number;
  /** The missing cells: index in the table, line, and place on the line. */
  readonly missing: Int32Array;
  readonly lineOf: Int32Array;
  readonly placeOf: Int32Array;
}

function linesOf(standard: Float64Array, columns: number): Lines {
  const rows = columns === 0 ? 0 : standard.length / columns;
  const present = standard.map((value) => (Number.isNaN(value) ? 0 : value));
  const byColumn = concat(tableColumns(present, columns));
  const missing = Int32Array.from(standard.keys()).filter((cell) => Number.isNaN(standard[cell]));
  const rowOf = missing.map((cell) => Math.floor(cell / columns));
  const columnOf = missing.map((cell) => cell % columns);
  return columns <= rows
    ? {
        cells: byColumn,
        across: present,
        lines: columns,
        length: rows,
        missing,
        lineOf: columnOf,
        placeOf: rowOf,
      }
    : {
        cells: present,
        across: byColumn,
        lines: rows,
        length: columns,
        missing,
        lineOf: rowOf,
        placeOf: columnOf,
      };
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Changes the missing cells until they stay. */
function complete(matrix: Lines, shrinkage: number): void {
  const next = new Float64Array(matrix.missing.length);
  let lowering = -1;
  for (let round = 0; round < maxRounds; round++) {
    const { values, vectors } = symmetricEigen(productsOf(matrix), matrix.lines);
    const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
    if (lowering < 0) lowering = shrinkage * singular.reduce((most, value) => Math.max(most, value), 0);
    const filter = filterOf(singular, vectors, lowering);
    if (updateMissing(matrix, filter, next) < tolerance) return;
  }
}

/** Each line's product with each other; two lines with one at once, since what costs is reading the memory. */
function productsOf({ cells, lines, length }: Lines): Float64Array {
  const products = new Float64Array(lines * lines);
  const both = new Float64Array(2);
  for (let a = 0; a < lines; a++) {
    for (let b = a; b < lines; b += 2) {
      if (b + 1 < lines) dotProducts(cells, a * length, b * length, (b + 1) * length, length, both);
      else both[0] = dotProduct(cells, a * length, cells, b * length, length);
      for (let i = 0; i < 2 && b + i < lines; i++) {
        products[a * lines + b + i] = both[i];
        products[(b + i) * lines + a] = both[i];
      }
    }
  }
  return products;
}

function dotProducts(
  cells: Float64Array,
  one: number,
  left: number,
  right: number,
  length: number,
  both: Float64Array,
): void {
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    const even = cells[one + i];
    const odd = cells[one + i + 1];
    p += even * cells[left + i];
    q += odd * cells[left + i + 1];
    r += even * cells[right + i];
    s += odd * cells[right + i + 1];
  }
  if (i < length) {
    p += cells[one + i] * cells[left + i];
    r += cells[one + i] * cells[right + i];
  }
  both[0] = p + q;
  both[1] = r + s;
}

/** What makes of a table the one with lower singular values: Σ (1 − lowering / σ) v vᵀ over those, σ, above `lowering`. */
function filterOf(singular: Float64Array, vectors: Float64Array, lowering: number): Float64Array {
  const lines = singular.length;
  const filter = new Float64Array(lines * lines);
  for (let k = 0; k < lines; k++) {
    if (!(singular[k] > lowering)) continue;
    const share = 1 - lowering / singular[k];
    for (let a = 0; a < lines; a++) {
      addScaled(filter, a * lines, share * vectors[k * lines + a], vectors, k * lines, lines);
    }
  }
  return filter;
}

/** Takes the missing cells from the filtered table, and returns by what share of their size before they moved. */
function updateMissing(
  { cells, across, lines, length, lineOf, placeOf }: Lines,
  filter: Float64Array,
  next: Float64Array,
): number {
  for (let i = 0; i < next.length; i++) {
    next[i] = dotProduct(filter, lineOf[i] * lines, across, placeOf[i] * lines, lines);
  }
  let moved = 0;
  let size = 0;
  for (let i = 0; i < next.length; i++) {
    const cell = placeOf[i] * lines + lineOf[i];
    const before = across[cell];
    moved += (next[i] - before) * (next[i] - before);
    size += before * before;
    across[cell] = next[i];
    cells[lineOf[i] * length + placeOf[i]] = next[i];
  }
  return moved === 0 ? 0 : Math.sqrt(moved / size);
}
