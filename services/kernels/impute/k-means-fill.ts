import { type Random, randomStream } from "../random.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { ownUnits, standardColumns } from "./standard-columns.js";

export interface KMeansOptions extends WindowOptions {
  readonly clusters: number;
  /** Of the first centroids: a function of the entity and the window's time, so that a replay draws the same. */
  readonly seed: number;
}

/** The best of so many starts, each of so many rounds at most: more fill better by 3 % at most (measured). */
const starts = 4;
const maxRounds = 300;

/** The sum of squares by which the centroids move at the end, where the columns' variance is 1: scikit-learn's, too. */
const tolerance = 1e-4;

export const kMeansImputer: ImputerDeclaration<KMeansOptions> = {
  name: "kmeans",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: false,
};

/**
 * Fills each row of a table from the centroid nearest to it over the columns that it has. The centroids are those of Lloyd's
 * algorithm on the window's rows, which leaves out what is missing in its distances and its means (Chi, Chi, Baraniuk 2016,
 * "k-POD"), from starts by k-means++ (Arthur, Vassilvitskii 2007). Distances are of columns brought to mean 0 and deviation 1.
 * Where a row, or all rows of its cluster in a column, have nothing, the column's mean. Arguments and results as of `meanFill`.
 */
export function kMeansFill(
  options: KMeansOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
): void {
  const columnScales = standardColumns(values, columns);
  const points = pointsOf(columnScales.standard, columns);
  const { centroids, nearest } = bestClusters(points, options);
  const estimates = new Float64Array(values.length);
  for (let row = 0; row < points.rows; row++) {
    if (!points.isKnown(row)) continue;
    for (let c = 0; c < columns; c++) estimates[row * columns + c] = centroids[nearest[row] * columns + c];
  }
  const fillable = fillableCells(timestamps, values, columns, options.maxGapMs);
  fillFrom(ownUnits(estimates, columnScales), values, fillable, out, filled);
}

interface Points {
  /** Row-major; 0, the columns' mean, where missing. */
  readonly cells: Float64Array;
  /** 1 where present, 0 where missing. */
  readonly present: Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** Whether a row has any value. */
  readonly isKnown: (row: number) => boolean;
}

function pointsOf(standard: Float64Array, columns: number): Points {
  const rows = columns === 0 ? 0 : standard.length / columns;
  const cells = standard.map((value) => (Number.isNaN(value) ? 0 : value));
  const present = standard.map((value) => (Number.isNaN(value) ? 0 : 1));
  const known = Uint8Array.from({ length: rows }, (_, row) =>
    Number(present.subarray(row * columns, (row + 1) * columns).includes(1)),
  );
  return { cells, present, rows, columns, isKnown: (row) => known[row] === 1 };
}

interface Clusters {
  readonly centroids: Float64Array;
  /** Each row's cluster, and the square of its distance. */
  readonly nearest: Int32Array;
  readonly squares: Float64Array;
}

function bestClusters(points: Points, { clusters, seed }: KMeansOptions): Clusters {
  let best: Clusters | null = null;
  let least = Infinity;
  for (let start = 0; start < starts; start++) {
    const found = lloyd(points, plusPlus(points, clusters, randomStream(seed, "k-means", start)), clusters);
    const total = totalOf(found.squares);
    if (best !== null && !(total < least)) continue;
    best = found;
    least = total;
  }
  return best!;
}

/** Over the columns that the row has; in four lanes, as `dotProduct`. */
function squaredDistance(points: Points, row: number, centroids: Float64Array, k: number): number {
  const { cells, present, columns } = points;
  const at = row * columns;
  const to = k * columns;
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let c = 0;
  for (; c + 3 < columns; c += 4) {
    const a = present[at + c] * (cells[at + c] - centroids[to + c]);
    const b = present[at + c + 1] * (cells[at + c + 1] - centroids[to + c + 1]);
    const d = present[at + c + 2] * (cells[at + c + 2] - centroids[to + c + 2]);
    const e = present[at + c + 3] * (cells[at + c + 3] - centroids[to + c + 3]);
    p += a * a;
    q += b * b;
    r += d * d;
    s += e * e;
  }
  for (; c < columns; c++) {
    const a = present[at + c] * (cells[at + c] - centroids[to + c]);
    p += a * a;
  }
  return p + q + (r + s);
}

/** The first centroids: rows, each drawn by the square of its distance from those before; what a row lacks is the mean. */
function plusPlus(points: Points, clusters: number, random: Random): Float64Array {
  const { cells, rows, columns, isKnown } = points;
  const centroids = new Float64Array(clusters * columns);
  const squares = Float64Array.from({ length: rows }, (_, row) => (isKnown(row) ? 1 : 0));
  for (let k = 0; k < clusters; k++) {
    const row = draw(squares, random);
    if (row < rows) centroids.set(cells.subarray(row * columns, (row + 1) * columns), k * columns);
    for (let other = 0; other < rows; other++) {
      const square = squaredDistance(points, other, centroids, k);
      squares[other] = k === 0 ? square : Math.min(squares[other], square);
    }
  }
  return centroids;
}

/** An index by weight; the end where no weight is. */
function draw(weights: Float64Array, random: Random): number {
  let left = random() * totalOf(weights);
  let index = 0;
  while (index < weights.length && !(weights[index] > 0 && left < weights[index])) left -= weights[index++];
  return index;
}

function totalOf(numbers: Float64Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function lloyd(points: Points, centroids: Float64Array, clusters: number): Clusters {
  const state = openAssignment(points.rows);
  const before = new Float64Array(centroids.length);
  const moves = new Float64Array(clusters);
  for (let round = 0; round < maxRounds; round++) {
    if (!assign(points, centroids, clusters, state, moves)) break;
    before.set(centroids);
    moveCentroids(points, centroids, clusters, state);
    if (measureMoves(before, centroids, moves) <= tolerance) break;
  }
  const { nearest } = state;
  const squares = new Float64Array(points.rows);
  assign(points, centroids, clusters, { nearest, least: squares, others: squares.slice() }, null);
  for (let row = 0; row < points.rows; row++) squares[row] *= squares[row];
  return { centroids, nearest, squares };
}

/**
 * Each row's cluster, its distance from that at most, and from all others at least. What a centroid moves by bounds what a
 * distance from it changes by, in whichever columns, so most rows need no distance (Hamerly 2010, "Making k-means even faster").
 */
interface Assignment {
  readonly nearest: Int32Array;
  readonly least: Float64Array;
  readonly others: Float64Array;
}

function openAssignment(rows: number): Assignment {
  return {
    nearest: new Int32Array(rows).fill(-1),
    least: new Float64Array(rows).fill(Infinity),
    others: new Float64Array(rows),
  };
}

/** Whether any row changed its cluster; `moves` is by how much each centroid moved since, null if that is not known. */
function assign(
  points: Points,
  centroids: Float64Array,
  clusters: number,
  { nearest, least, others }: Assignment,
  moves: Float64Array | null,
): boolean {
  const farthest = moves === null ? Infinity : moves.reduce((most, move) => Math.max(most, move), 0);
  let changed = false;
  for (let row = 0; row < points.rows; row++) {
    others[row] -= farthest;
    if (moves !== null && nearest[row] >= 0) {
      least[row] += moves[nearest[row]];
      if (least[row] <= others[row]) continue;
      least[row] = Math.sqrt(squaredDistance(points, row, centroids, nearest[row]));
      if (least[row] <= others[row]) continue;
    }
    const previous = nearest[row];
    findNearest(points, centroids, clusters, row, nearest, least, others);
    changed ||= nearest[row] !== previous;
  }
  return changed;
}

function findNearest(
  points: Points,
  centroids: Float64Array,
  clusters: number,
  row: number,
  nearest: Int32Array,
  least: Float64Array,
  others: Float64Array,
): void {
  let best = 0;
  let first = Infinity;
  let second = Infinity;
  for (let k = 0; k < clusters; k++) {
    const square = squaredDistance(points, row, centroids, k);
    if (square < first) {
      second = first;
      first = square;
      best = k;
    } else if (square < second) second = square;
  }
  nearest[row] = best;
  least[row] = Math.sqrt(first);
  others[row] = Math.sqrt(second);
}

/** Writes how far each centroid moved, and returns the sum of the squares. */
function measureMoves(before: Float64Array, after: Float64Array, moves: Float64Array): number {
  const columns = after.length / moves.length;
  let total = 0;
  for (let k = 0; k < moves.length; k++) {
    let square = 0;
    for (let i = k * columns; i < (k + 1) * columns; i++) {
      const move = after[i] - before[i];
      square += move * move;
    }
    moves[k] = Math.sqrt(square);
    total += square;
  }
  return total;
}

/** To the mean of what its rows have; a cluster without rows goes to the row farthest from its own. */
function moveCentroids(
  points: Points,
  centroids: Float64Array,
  clusters: number,
  { nearest, least }: Assignment,
): void {
  const { cells, present, rows, columns, isKnown } = points;
  const counts = new Int32Array(centroids.length);
  const members = new Int32Array(clusters);
  centroids.fill(0);
  for (let row = 0; row < rows; row++) {
    if (!isKnown(row)) continue;
    members[nearest[row]]++;
    for (let c = 0; c < columns; c++) {
      centroids[nearest[row] * columns + c] += cells[row * columns + c];
      counts[nearest[row] * columns + c] += present[row * columns + c];
    }
  }
  for (let i = 0; i < centroids.length; i++) if (counts[i] > 0) centroids[i] /= counts[i];
  const distances = members.includes(0) ? least.slice() : least;
  for (let k = 0; k < clusters; k++) if (members[k] === 0) settleFarthest(points, centroids, k, distances);
}

/** Its distance becomes 0, so that another cluster takes another row. */
function settleFarthest(
  { cells, rows, columns }: Points,
  centroids: Float64Array,
  cluster: number,
  distances: Float64Array,
): void {
  let farthest = 0;
  for (let row = 1; row < rows; row++) if (distances[row] > distances[farthest]) farthest = row;
  if (!(distances[farthest] > 0)) return;
  distances[farthest] = 0;
  centroids.set(cells.subarray(farthest * columns, (farthest + 1) * columns), cluster * columns);
}
