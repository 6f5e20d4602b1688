import type { Graph } from "./graph.js";

/**
 * Writes how many edges lead to each node and away from it, as shares of the other nodes: networkx's
 * `in_degree_centrality` and `out_degree_centrality`; 1 for the only node of a graph. An edge from a node to
 * itself counts as one.
 */
export function degreeCentrality(graph: Graph, into: Float64Array, away: Float64Array): void {
  const { nodes, firstEdge, targets } = graph;
  into.fill(0, 0, nodes);
  for (const target of targets) into[target]++;
  const share = 1 / (nodes - 1);
  for (let node = 0; node < nodes; node++) {
    into[node] = nodes === 1 ? 1 : into[node] * share;
    away[node] = nodes === 1 ? 1 : (firstEdge[node + 1] - firstEdge[node]) * share;
  }
}

/** Writes the sums of the weights of the edges to and from each node: networkx's weighted degrees. */
export function weightedDegrees(graph: Graph, into: Float64Array, away: Float64Array): void {
  const { nodes, firstEdge, targets, weights } = graph;
  into.fill(0, 0, nodes);
  away.fill(0, 0, nodes);
  for (let source = 0; source < nodes; source++) {
    for (let edge = firstEdge[source]; edge < firstEdge[source + 1]; edge++) {
      into[targets[edge]] += weights[edge];
      away[source] += weights[edge];
    }
  }
}
