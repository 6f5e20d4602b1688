import { averagePathLength, pathLengthOf, scoreOfPath } from "./path-length.js";
import { percentileOfSorted } from "./percentile.js";
import type { Random } from "./random.js";

/**
 * Trees of random splits, one after the other in flat arrays. A row goes to the left child where its value is not above
 * the threshold. A leaf is its own child on both sides, so that all walks have `depth` steps, without a branch to guess.
 */
export interface IsolationTrees {
  /** How many columns a row has. */
  readonly columns: number;
  /** How many steps the farthest leaf is from its root. */
  readonly depth: number;
  /** The first node of each tree. */
  readonly roots: Int32Array;
  /** The column that a node asks for; 0 for leaves. */
  readonly column: Int32Array;
  /** The threshold of an inner node; the length of a path that ends in a leaf. */
  readonly threshold: Float64Array;
  /** The left and the right child of node n, at 2n and 2n + 1. */
  readonly children: Int32Array;
  /** 1 where a missing value goes left; null where a row with a missing value has no score. */
  readonly missingLeft: Uint8Array | null;
  /** The sum of path lengths, over all trees, that scores one half. */
  readonly averageSum: number;
}

export interface IsolationForest extends IsolationTrees {
  /** What scores above this is an outlier. */
  readonly outlierAbove: number;
}

export interface IsolationForestOptions {
  readonly trees: number;
  /** How many rows a tree is built from, or all where there are fewer. */
  readonly sampleSize: number;
  /** The share of outliers among the rows fitted to (0 to 0.5), from which the threshold follows; "auto": 0.5. */
  readonly contamination: number | "auto";
}

export const isolationForestDefaults: IsolationForestOptions = {
  trees: 100,
  sampleSize: 256,
  contamination: "auto",
};

/**
 * Fits a forest to the `rows` × `columns` of `table`, row by row, as scikit-learn's `IsolationForest` does it: each tree from
 * a sample without replacement, a random one of the columns that are not constant, a threshold uniform between its
 * smallest and largest value, down to single rows or depth ⌈log2(sample size)⌉. Rows with a value that is not finite are left
 * out; null where that leaves none.
 *
 * Other than there, values are not rounded to single precision, and a column is constant only where all its values
 * are equal (there: within 1e-7): a small signal on a large level, or a small unit, stays visible. Where a sample is all
 * rows, their order has no influence. `random` is the only source of chance: equal streams and tables give equal forests.
 */
export function fitIsolationForest(
  table: Float64Array,
  rows: number,
  columns: number,
  random: Random,
  options: IsolationForestOptions = isolationForestDefaults,
): IsolationForest | null {
  const complete = completeRows(table, rows, columns);
  if (complete.length === 0) return null;
  const sampleSize = Math.min(options.sampleSize, complete.length);
  const growth = openGrowth(table, columns, sampleSize, options.trees);
  const roots = new Int32Array(options.trees);
  for (let tree = 0; tree < options.trees; tree++) {
    if (sampleSize < complete.length) drawSample(complete, sampleSize, random);
    growth.sample.set(complete.subarray(0, sampleSize));
    roots[tree] = growth.nodes;
    grow(growth, 0, sampleSize, 0, random);
  }
  const forest: IsolationTrees = {
    columns,
    depth: growth.depthMax,
    roots,
    column: growth.column.slice(0, growth.nodes),
    threshold: growth.threshold.slice(0, growth.nodes),
    children: growth.children.slice(0, 2 * growth.nodes),
    missingLeft: null,
    averageSum: options.trees * averagePathLength(sampleSize),
  };
  return { ...forest, outlierAbove: outlierThreshold(forest, table, rows, options.contamination) };
}

/** Writes the scores of the `rows` of `table` at `out[outOffset ...]`. */
export function isolationScores(
  trees: IsolationTrees,
  table: Float64Array,
  rows: number,
  out: Float64Array,
  outOffset: number,
): void {
  for (let row = 0; row < rows; row++) {
    out[outOffset + row] = isolationScore(trees, table, row * trees.columns);
  }
}

/**
 * The score of the row that begins at `table[offset]`: in (0, 1], about 0.5 for what is like the most, towards 1 for what few
 * splits isolate; NaN for a row with a value that is not finite, unless the trees say where missing values go: then as
 * scikit-learn, which compares infinities as numbers.
 */
export function isolationScore(trees: IsolationTrees, table: Float64Array, offset: number): number {
  if (isComplete(table, offset, trees.columns))
    return scoreOfPath(pathSum(trees, table, offset), trees.averageSum);
  if (trees.missingLeft === null) return NaN;
  return scoreOfPath(incompletePathSum(trees, trees.missingLeft, table, offset), trees.averageSum);
}

/** Walks four trees at a time, since a step has to wait for the one before it. */
function pathSum(trees: IsolationTrees, table: Float64Array, offset: number): number {
  const { depth, roots, column, threshold, children } = trees;
  let sum = 0;
  let tree = 0;
  for (; tree + 3 < roots.length; tree += 4) {
    let a = roots[tree];
    let b = roots[tree + 1];
    let c = roots[tree + 2];
    let d = roots[tree + 3];
    for (let step = 0; step < depth; step++) {
      a = children[2 * a + Number(table[offset + column[a]] > threshold[a])];
      b = children[2 * b + Number(table[offset + column[b]] > threshold[b])];
      c = children[2 * c + Number(table[offset + column[c]] > threshold[c])];
      d = children[2 * d + Number(table[offset + column[d]] > threshold[d])];
    }
    sum = sum + threshold[a] + threshold[b] + threshold[c] + threshold[d];
  }
  for (; tree < roots.length; tree++) {
    let node = roots[tree];
    for (let step = 0; step < depth; step++) {
      node = children[2 * node + Number(table[offset + column[node]] > threshold[node])];
    }
    sum += threshold[node];
  }
  return sum;
}

function incompletePathSum(
  { depth, roots, column, threshold, children }: IsolationTrees,
  missingLeft: Uint8Array,
  table: Float64Array,
  offset: number,
): number {
  let sum = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree];
    for (let step = 0; step < depth; step++) {
      const value = table[offset + column[node]];
      const goesRight = value !== value ? missingLeft[node] === 0 : value > threshold[node];
      node = children[2 * node + Number(goesRight)];
    }
    sum += threshold[node];
  }
  return sum;
}

function isComplete(table: Float64Array, offset: number, columns: number): boolean {
  for (let i = offset; i < offset + columns; i++) {
    if (table[i] - table[i] !== 0) return false;
  }
  return true;
}

/** The offsets of the rows whose values are all finite. */
function completeRows(table: Float64Array, rows: number, columns: number): Int32Array {
  const offsets = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (isComplete(table, row * columns, columns)) offsets[count++] = row * columns;
  }
  return offsets.subarray(0, count);
}

/** Brings `size` of the offsets to the front, each choice as likely as the others (Fisher and Yates). */
function drawSample(offsets: Int32Array, size: number, random: Random): void {
  for (let i = 0; i < size; i++) {
    const drawn = i + Math.floor(random() * (offsets.length - i));
    const offset = offsets[drawn];
    offsets[drawn] = offsets[i];
    offsets[i] = offset;
  }
}

/** A forest as it grows. */
interface Growth {
  readonly table: Float64Array;
  /** Offsets of the rows of the tree; those of a node are side by side. */
  readonly sample: Int32Array;
  /** The column's values of a node's rows, where they are in `sample`. */
  readonly values: Float64Array;
  /** The columns, in an order that changes as they are drawn. */
  readonly columnOrder: Int32Array;
  readonly depthMax: number;
  /** c(n) for each n up to the sample's size. */
  readonly averages: Float64Array;
  readonly column: Int32Array;
  readonly threshold: Float64Array;
  readonly children: Int32Array;
  nodes: number;
}

function openGrowth(table: Float64Array, columns: number, sampleSize: number, trees: number): Growth {
  const nodesMax = trees * (2 * sampleSize - 1);
  return {
    table,
    sample: new Int32Array(sampleSize),
    values: new Float64Array(sampleSize),
    columnOrder: Int32Array.from({ length: columns }, (_, column) => column),
    depthMax: depthLimit(sampleSize),
    averages: Float64Array.from({ length: sampleSize + 1 }, (_, count) => averagePathLength(count)),
    column: new Int32Array(nodesMax),
    threshold: new Float64Array(nodesMax),
    children: new Int32Array(2 * nodesMax),
    nodes: 0,
  };
}

/** ⌈log2(`sampleSize`)⌉, at least 1. */
function depthLimit(sampleSize: number): number {
  let depth = 1;
  while (2 ** depth < sampleSize) depth++;
  return depth;
}

/** Grows the node of `sample[start ... end - 1]` and all below it. */
function grow(growth: Growth, start: number, end: number, depth: number, random: Random): void {
  const node = growth.nodes++;
  const split =
    end - start > 1 && depth < growth.depthMax ? splitRows(growth, node, start, end, random) : end;
  if (split === end) {
    growth.threshold[node] = pathLengthOf(depth, growth.averages[end - start]);
    growth.children[2 * node] = node;
    growth.children[2 * node + 1] = node;
    return;
  }
  growth.children[2 * node] = growth.nodes;
  grow(growth, start, split, depth + 1, random);
  growth.children[2 * node + 1] = growth.nodes;
  grow(growth, split, end, depth + 1, random);
}

/**
 * Draws columns until one is not constant, and its threshold; brings the rows that go left before the others, and
 * returns the first of the others: `end` where all columns are constant.
 */
function splitRows(growth: Growth, node: number, start: number, end: number, random: Random): number {
  const { columnOrder, values } = growth;
  for (let left = columnOrder.length; left > 0; left--) {
    const drawn = left === 1 ? 0 : Math.floor(random() * left);
    const column = columnOrder[drawn];
    columnOrder[drawn] = columnOrder[left - 1];
    columnOrder[left - 1] = column;
    readColumn(growth, column, start, end);
    let low = values[start];
    let high = low;
    for (let i = start + 1; i < end; i++) {
      const value = values[i];
      if (value < low) low = value;
      else if (value > high) high = value;
    }
    if (low === high) continue;
    growth.column[node] = column;
    growth.threshold[node] = thresholdBetween(low, high, random());
    return partition(growth, start, end, growth.threshold[node]);
  }
  return end;
}

function readColumn({ table, sample, values }: Growth, column: number, start: number, end: number): void {
  // −0 as 0, or the order of the rows would show in a threshold.
  for (let i = start; i < end; i++) values[i] = table[sample[i] + column] + 0;
}

/** At least `low` and below `high`. */
function thresholdBetween(low: number, high: number, share: number): number {
  const distance = high - low;
  const threshold = distance < Infinity ? low + distance * share : low * (1 - share) + high * share;
  return threshold >= low && threshold < high ? threshold : low;
}

function partition({ sample, values }: Growth, start: number, end: number, threshold: number): number {
  let below = start;
  let above = end;
  while (below < above) {
    if (values[below] <= threshold) {
      below++;
      continue;
    }
    above--;
    const offset = sample[below];
    sample[below] = sample[above];
    sample[above] = offset;
    values[below] = values[above];
  }
  return above;
}

function outlierThreshold(
  trees: IsolationTrees,
  table: Float64Array,
  rows: number,
  contamination: number | "auto",
): number {
  if (contamination === "auto") return 0.5;
  const scores = new Float64Array(rows);
  isolationScores(trees, table, rows, scores, 0);
  // Negative, as scikit-learn takes the percentile of its scores.
  const judged = scores
    .filter((score) => score === score)
    .map((score) => -score)
    .sort();
  return -percentileOfSorted(judged, 0, judged.length, contamination);
}
