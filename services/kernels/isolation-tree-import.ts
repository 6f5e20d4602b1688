import type { IsolationForest } from "./isolation-forest.js";
import { averagePathLength, pathLengthOf } from "./path-length.js";
import { lastRoundedUpTo } from "./single-precision.js";

/**
 * Isolation forests fitted by scikit-learn, as JSON. Doubles are written in full, so that scores equal
 * `-score_samples(X)` to 1e-15:
 *
 * ```json
 * {
 *   "columns": 1,
 *   "max_samples": 256,
 *   "offset": -0.5,
 *   "trees": [
 *     {
 *       "children_left": [1, -1, -1],
 *       "children_right": [2, -1, -1],
 *       "feature": [0, -2, -2],
 *       "threshold": [0.25, -2, -2],
 *       "n_node_samples": [256, 255, 1],
 *       "missing_go_to_left": [1, 0, 0]
 *     }
 *   ]
 * }
 * ```
 *
 * The lists of a tree are those of its `tree_`, one item a node, node 0 the root; a leaf has −1 as its children, and its
 * feature and threshold are not read. `missing_go_to_left` may be left out of all trees: then a row with a missing value has no
 * score. `columns` is `n_features_in_`, and `max_samples` and `offset` are `max_samples_` and `offset_`: a score above −offset
 * is an outlier's. `test/oracle/export_forest.py` writes it.
 */

interface ExportedTree {
  readonly children_left: readonly number[];
  readonly children_right: readonly number[];
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  readonly n_node_samples: readonly number[];
  readonly missing_go_to_left?: readonly number[];
}

/** The forest that `json` (what JSON.parse gives) describes; or, where it is none, a text that says why. */
export function isolationForestOf(json: unknown): IsolationForest | string {
  if (!isObject(json)) return "a forest is an object";
  const unknown = unknownKey(json, ["columns", "max_samples", "offset", "trees"]);
  if (unknown !== null) return `${unknown} is no property of a forest`;
  const { columns, max_samples, offset, trees } = json;
  if (typeof columns !== "number" || !isWhole(columns, 1, 2 ** 20))
    return "columns must be a whole number, at least 1";
  if (typeof max_samples !== "number" || !isWhole(max_samples, 1, 2 ** 31 - 1))
    return "max_samples must be a whole number, at least 1";
  if (typeof offset !== "number" || !(offset >= -1 && offset <= 0))
    return "offset must be a number from -1 to 0";
  if (!Array.isArray(trees) || trees.length === 0) return "trees must be a list of at least one tree";
  const exported: ExportedTree[] = [];
  for (const [index, tree] of (trees as unknown[]).entries()) {
    const wrong = fault(tree, columns, max_samples);
    if (wrong !== null) return `trees[${index}]${wrong}`;
    exported.push(tree as ExportedTree);
    if (hasMissing(exported[0]) !== hasMissing(exported[index]))
      return "missing_go_to_left must be in all trees or in none";
  }
  return forestOf(columns, max_samples, offset, exported);
}

function hasMissing(tree: ExportedTree): boolean {
  return tree.missing_go_to_left !== undefined;
}

/** What is wrong with a tree, beginning with the part where; null where nothing is. */
function fault(tree: unknown, columns: number, sampleSize: number): string | null {
  if (!isObject(tree)) return " is no object";
  const lists = ["children_left", "children_right", "feature", "threshold", "n_node_samples"];
  const unknown = unknownKey(tree, [...lists, "missing_go_to_left"]);
  if (unknown !== null) return ` has the unknown property ${unknown}`;
  const given = Object.entries(tree);
  for (const name of lists) if (!given.some(([key]) => key === name)) return ` has no ${name}`;
  for (const [name, list] of given) {
    if (!Array.isArray(list) || list.length === 0) return `.${name} is no list of numbers`;
    const at = (list as unknown[]).findIndex((item) => typeof item !== "number" || !Number.isFinite(item));
    if (at >= 0) return `.${name}[${at}] is no number`;
  }
  const nodes = (tree["feature"] as number[]).length;
  for (const [name, list] of given as [string, number[]][])
    if (list.length !== nodes) return `.${name} has ${list.length} items, feature has ${nodes}`;
  return faultyNode(tree as unknown as ExportedTree, columns, sampleSize);
}

/** Each node but the root has one parent, before it, so that every path from the root ends in a leaf. */
function faultyNode(tree: ExportedTree, columns: number, sampleSize: number): string | null {
  const { children_left, children_right, feature, n_node_samples, missing_go_to_left = [] } = tree;
  const nodes = feature.length;
  const seen = new Uint8Array(nodes);
  if (!isWhole(n_node_samples[0], 1, sampleSize))
    return `.n_node_samples[0] is ${n_node_samples[0]}: from 1 to max_samples, ${sampleSize}, are possible`;
  for (let node = 0; node < nodes; node++) {
    if (children_left[node] === -1 && children_right[node] === -1) continue;
    for (const [name, child] of [
      ["children_left", children_left[node]],
      ["children_right", children_right[node]],
    ] as const) {
      if (!isWhole(child, node + 1, nodes - 1))
        return `.${name}[${node}] is ${child}: a child comes after its node, and the last is ${nodes - 1}`;
      if (seen[child] === 1) return `.${name}[${node}] is ${child}, which has another parent`;
      if (!isWhole(n_node_samples[child], 1, sampleSize))
        return `.n_node_samples[${child}] is ${n_node_samples[child]}, which is no number of rows`;
      seen[child] = 1;
    }
    if (!isWhole(feature[node], 0, columns - 1))
      return `.feature[${node}] is ${feature[node]}, but columns is ${columns}`;
    if (n_node_samples[node] !== n_node_samples[children_left[node]] + n_node_samples[children_right[node]])
      return `.n_node_samples[${node}] is not the sum of its children's`;
  }
  const flag = missing_go_to_left.findIndex((left) => left !== 0 && left !== 1);
  if (flag >= 0) return `.missing_go_to_left[${flag}] is ${missing_go_to_left[flag]}: 0 or 1 are possible`;
  const orphan = seen.indexOf(0, 1);
  return orphan < 0 ? null : ` has node ${orphan}, which is nobody's child`;
}

function forestOf(
  columns: number,
  sampleSize: number,
  offset: number,
  trees: readonly ExportedTree[],
): IsolationForest {
  const nodes = trees.reduce((sum, tree) => sum + tree.feature.length, 0);
  const forest = {
    columns,
    depth: 0,
    roots: new Int32Array(trees.length),
    column: new Int32Array(nodes),
    threshold: new Float64Array(nodes),
    children: new Int32Array(2 * nodes),
    missingLeft: hasMissing(trees[0]) ? new Uint8Array(nodes) : null,
    averageSum: trees.length * averagePathLength(sampleSize),
    outlierAbove: -offset,
  };
  let first = 0;
  for (const [index, tree] of trees.entries()) {
    forest.roots[index] = first;
    forest.depth = Math.max(forest.depth, copyTree(forest, tree, first));
    first += tree.feature.length;
  }
  return forest;
}

/** Writes the nodes of a tree from `first` on, and returns the depth of the deepest. */
function copyTree(forest: IsolationForest, tree: ExportedTree, first: number): number {
  const depths = new Int32Array(tree.feature.length);
  let deepest = 0;
  for (const [at, left] of tree.children_left.entries()) {
    const node = first + at;
    deepest = Math.max(deepest, depths[at]);
    if (left === -1) {
      forest.children.fill(node, 2 * node, 2 * node + 2);
      forest.threshold[node] = pathLengthOf(depths[at], averagePathLength(tree.n_node_samples[at]));
      continue;
    }
    const right = tree.children_right[at];
    depths[left] = depths[at] + 1;
    depths[right] = depths[at] + 1;
    forest.children[2 * node] = first + left;
    forest.children[2 * node + 1] = first + right;
    forest.column[node] = tree.feature[at];
    // scikit-learn compares values rounded to single precision; this spares the rounding.
    forest.threshold[node] = lastRoundedUpTo(tree.threshold[at]);
    if (forest.missingLeft !== null) forest.missingLeft[node] = tree.missing_go_to_left?.[at] ?? 0;
  }
  return deepest;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function unknownKey(object: Record<string, unknown>, known: readonly string[]): string | null {
  return Object.keys(object).find((key) => !known.includes(key)) ?? null;
}
