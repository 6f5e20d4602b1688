import { normal, type Random, randomStream } from "../../../services/kernels/random.js";

/** A table, row-major, one row a timestamp, and the same with holes. */
export interface TableCase {
  readonly name: string;
  readonly timestamps: Float64Array;
  readonly columns: number;
  readonly complete: Float64Array;
  readonly values: Float64Array;
}

const START_MS = 1_760_000_000_000;
const INTERVAL_MS = 15_000;

export interface TableShape {
  readonly rows: number;
  readonly columns: number;
  /** How many independent courses the columns follow. */
  readonly factors: number;
  /** Standard deviation of what is a column's own, where that of what it shares is 1. */
  readonly noise: number;
  readonly missingShare: number;
}

/**
 * Metrics of services that share their load: each column is a mixture of a few courses (daily shapes and walks) with noise of
 * its own, on its own scale (`scaleOf` column), with cells missing at random and in runs.
 */
export function tableCase(
  name: string,
  seed: number,
  { rows, columns, factors, noise, missingShare }: TableShape,
  scaleOf: (column: number) => number = () => 1,
): TableCase {
  const random = randomStream(seed, name, 0);
  const courses = Array.from({ length: factors }, (_, f) => courseOf(random, rows, f));
  const complete = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    const weights = courses.map(() => normal(random));
    const size = Math.sqrt(weights.reduce((total, weight) => total + weight * weight, 0));
    const level = 5 * random();
    for (let row = 0; row < rows; row++) {
      const shared = courses.reduce((total, course, f) => total + (weights[f] / size) * course[row], 0);
      complete[row * columns + column] = scaleOf(column) * (level + shared + noise * normal(random));
    }
  }
  return {
    name: `${name}, seed ${seed}`,
    timestamps: Float64Array.from({ length: rows }, (_, row) => START_MS + row * INTERVAL_MS),
    columns,
    complete,
    values: withHoles(random, complete, columns, missingShare),
  };
}

function courseOf(random: Random, rows: number, index: number): number[] {
  const phase = 2 * Math.PI * random();
  let walk = 0;
  return Array.from({ length: rows }, (_, row) => {
    walk = 0.95 * walk + 0.3 * normal(random);
    return index % 2 === 0 ? Math.sqrt(2) * Math.sin(phase + (row * (index + 1)) / 20) : walk;
  });
}

function withHoles(random: Random, complete: Float64Array, columns: number, share: number): Float64Array {
  const values = complete.slice();
  for (let at = 0; at < values.length; at++) {
    if (random() >= share / 2) continue;
    const run = random() < 0.25 ? 1 + Math.floor(8 * random()) : 1;
    for (let cell = at; cell < at + run * columns && cell < values.length; cell += columns)
      values[cell] = NaN;
  }
  return values;
}
