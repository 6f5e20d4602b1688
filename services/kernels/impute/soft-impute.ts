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
  for (const { cell, line, place } of matrix.missing) {
    estimates[cell] = matrix.across[place * matrix.lines + line];
  }
  const fillable = fillableCells(timestamps, values, columns, options.maxGapMs);
  fillFrom(ownUnits(estimates, columnScales), values, fillable, out, filled);
}

/** The table as lines in one piece each: its columns, or its rows where these are fewer; and across them. */
interface Lines {
  readonly cells: Float64Array;
  readonly across: Float64Array;
  readonly lines: number;
  readonly length: number;
  readonly missing: readonly MissingCell[];
}

interface MissingCell {
  /** The cell's index in the table. */
  readonly cell: number;
  readonly line: number;
  readonly place: number;
}

function linesOf(standard: Float64Array, columns: number): Lines {
  const rows = columns === 0 ? 0 : standard.length / columns;
  const present = standard.map((value) => (Number.isNaN(value) ? 0 : value));
  const byColumn = concat(tableColumns(present, columns));
  const missing = Array.from(standard.keys())
    .filter((cell) => Number.isNaN(standard[cell]))
    .map((cell) => ({ cell, row: Math.floor(cell / columns), column: cell % columns }));
  return columns <= rows
    ? {
        cells: byColumn,
        across: present,
        lines: columns,
        length: rows,
        missing: missing.map(({ cell, row, column }) => ({ cell, line: column, place: row })),
      }
    : {
        cells: present,
        across: byColumn,
        lines: rows,
        length: columns,
        missing: missing.map(({ cell, row, column }) => ({ cell, line: row, place: column })),
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
  let lowering = -1;
  for (let round = 0; round < maxRounds; round++) {
    const { values, vectors } = symmetricEigen(productsOf(matrix), matrix.lines);
    const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
    if (lowering < 0) lowering = shrinkage * singular.reduce((most, value) => Math.max(most, value), 0);
    const filter = filterOf(singular, vectors, lowering);
    if (updateMissing(matrix, filter) < tolerance) return;
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
function updateMissing({ cells, across, lines, length, missing }: Lines, filter: Float64Array): number {
  const next = Float64Array.from(missing, ({ line, place }) =>
    dotProduct(filter, line * lines, across, place * lines, lines),
  );
  let moved = 0;
  let size = 0;
  for (const [i, { line, place }] of missing.entries()) {
    const before = across[place * lines + line];
    moved += (next[i] - before) * (next[i] - before);
    size += before * before;
    across[place * lines + line] = next[i];
    cells[line * length + place] = next[i];
  }
  return moved === 0 ? 0 : Math.sqrt(moved / size);
}
