import type { Graph } from "./graph.js";

/** networkx's defaults. */
const damping = 0.85;
const tolerancePerNode = 1e-6;
const iterationsMax = 100;

/**
 * Writes the PageRank of each node at `out[0 ... nodes - 1]`, by edge weights: networkx's `pagerank` with its
 * defaults. The same iteration from the same start to the same tolerance, so the same number of steps: the
 * result is no nearer to the true rank than networkx's. NaN where it does not converge in 100 steps (networkx
 * throws).
 */
export function pageRank(graph: Graph, out: Float64Array): void {
  const { nodes, firstEdge, targets } = graph;
  const shares = sharesOf(graph);
  let rank = new Float64Array(nodes).fill(1 / nodes);
  let next = new Float64Array(nodes);
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    next.fill(0);
    let dangling = 0;
    for (let source = 0; source < nodes; source++) {
      if (firstEdge[source] === firstEdge[source + 1]) dangling += rank[source];
      for (let edge = firstEdge[source]; edge < firstEdge[source + 1]; edge++)
        next[targets[edge]] += shares[edge] * rank[source];
    }
    let change = 0;
    for (let node = 0; node < nodes; node++) {
      next[node] = damping * (next[node] + dangling / nodes) + (1 - damping) / nodes;
      change += Math.abs(next[node] - rank[node]);
    }
    [rank, next] = [next, rank];
    if (change < nodes * tolerancePerNode) {
      out.set(rank);
      return;
    }
  }
  out.fill(NaN, 0, nodes);
}

/** Each edge's share of what leaves its source. */
function sharesOf({ nodes, firstEdge, weights }: Graph): Float64Array {
  const shares = new Float64Array(weights.length);
  for (let source = 0; source < nodes; source++) {
    let total = 0;
    for (let edge = firstEdge[source]; edge < firstEdge[source + 1]; edge++) total += weights[edge];
    // By the reciprocal, as networkx does, unless that or the sum overflows.
    const reciprocal = 1 / total;
    const isPlain = total < Infinity && reciprocal < Infinity;
    const unit = isPlain ? 1 : total < 1 ? 2 ** 200 : 2 ** -200;
    let scaled = 0;
    for (let edge = firstEdge[source]; edge < firstEdge[source + 1]; edge++) scaled += weights[edge] * unit;
    for (let edge = firstEdge[source]; edge < firstEdge[source + 1]; edge++)
      shares[edge] = isPlain ? weights[edge] * reciprocal : (weights[edge] * unit) / scaled;
  }
  return shares;
}
