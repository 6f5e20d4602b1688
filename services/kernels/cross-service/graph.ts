/**
 * A directed graph with a weight on each edge: the edges of node s are `firstEdge[s] ... firstEdge[s + 1] -
 * 1`, in ascending order of their targets, each target once.
 */
export interface Graph {
  readonly nodes: number;
  readonly firstEdge: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array;
}

/**
 * The graph of edges given as arrays: `sources[i]` → `targets[i]`, node numbers 0 … `nodes` − 1, weight
 * `weights[i]`, say requests per second. An edge given more than once has the sum of its weights; one whose
 * weight is not above 0 and finite is none.
 */
export function graphOf(
  nodes: number,
  sources: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
): Graph {
  const edges = Array.from(weights, (_, i) => i)
    .filter((i) => weights[i] > 0 && weights[i] < Infinity)
    // Stable: equal edges are summed in the order they were given.
    .sort((a, b) => sources[a] - sources[b] || targets[a] - targets[b]);
  const firstEdge = new Int32Array(nodes + 1);
  const ends = new Int32Array(edges.length);
  const sums = new Float64Array(edges.length);
  let count = 0;
  let source = 0;
  for (const i of edges) {
    while (source < sources[i]) firstEdge[++source] = count;
    if (count > firstEdge[source] && ends[count - 1] === targets[i]) {
      sums[count - 1] += weights[i];
    } else {
      ends[count] = targets[i];
      sums[count++] = weights[i];
    }
  }
  while (source < nodes) firstEdge[++source] = count;
  return { nodes, firstEdge, targets: ends.slice(0, count), weights: sums.slice(0, count) };
}
