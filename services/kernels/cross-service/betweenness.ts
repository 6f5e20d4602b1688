import type { Graph } from "./graph.js";

/** What one source's shortest paths need. */
interface Paths {
  /** Length of the shortest path from the source, Infinity where there is none. */
  readonly distance: Float64Array;
  /** How many shortest paths there are. */
  readonly paths: Float64Array;
  /** Nodes in the order of their distance. */
  readonly order: Int32Array;
  reached: number;
  readonly dependency: Float64Array;
}

/**
 * Writes the share of shortest paths between other nodes that go through each node at `out[0 ... nodes - 1]`:
 * networkx's `betweenness_centrality` of a directed graph, normalised; by Brandes 2001, "A faster algorithm
 * for betweenness centrality". With `isWeighted` an edge is as long as its weight (where weights are rates of
 * requests, pass their reciprocals); else 1. Paths are of equal length where their sums are equal doubles, as
 * in networkx.
 */
export function betweenness(graph: Graph, isWeighted: boolean, out: Float64Array): void {
  const { nodes } = graph;
  const found: Paths = {
    distance: new Float64Array(nodes),
    paths: new Float64Array(nodes),
    order: new Int32Array(nodes),
    reached: 0,
    dependency: new Float64Array(nodes),
  };
  out.fill(0, 0, nodes);
  for (let source = 0; source < nodes; source++) {
    if (isWeighted) findByLength(graph, source, found);
    else findBySteps(graph, source, found);
    countPaths(graph, isWeighted, found, source);
    accumulate(graph, isWeighted, found, source, out);
  }
  if (nodes > 2) for (let node = 0; node < nodes; node++) out[node] /= (nodes - 1) * (nodes - 2);
}

function findBySteps({ firstEdge, targets }: Graph, source: number, found: Paths): void {
  const { distance, order } = found;
  distance.fill(Infinity);
  distance[source] = 0;
  order[0] = source;
  found.reached = 1;
  for (let i = 0; i < found.reached; i++) {
    const node = order[i];
    for (let edge = firstEdge[node]; edge < firstEdge[node + 1]; edge++) {
      if (distance[targets[edge]] < Infinity) continue;
      distance[targets[edge]] = distance[node] + 1;
      order[found.reached++] = targets[edge];
    }
  }
}

/**
 * Dijkstra's algorithm with a search for the nearest in place of a heap: graphs of services have tens or
 * hundreds of nodes.
 */
function findByLength({ nodes, firstEdge, targets, weights }: Graph, source: number, found: Paths): void {
  const { distance, order } = found;
  distance.fill(Infinity);
  distance[source] = 0;
  const isDone = new Uint8Array(nodes);
  found.reached = 0;
  for (;;) {
    let nearest = -1;
    for (let node = 0; node < nodes; node++) {
      if (isDone[node] === 1 || distance[node] === Infinity) continue;
      if (nearest === -1 || distance[node] < distance[nearest]) nearest = node;
    }
    if (nearest === -1) return;
    isDone[nearest] = 1;
    order[found.reached++] = nearest;
    for (let edge = firstEdge[nearest]; edge < firstEdge[nearest + 1]; edge++) {
      const length = distance[nearest] + weights[edge];
      if (length < distance[targets[edge]]) distance[targets[edge]] = length;
    }
  }
}

function isOnPath(
  graph: Graph,
  isWeighted: boolean,
  distance: Float64Array,
  node: number,
  edge: number,
): boolean {
  const length = isWeighted ? graph.weights[edge] : 1;
  // A length that is lost in rounding leads nowhere: else a path could go in a circle.
  return (
    length > 0 && node !== graph.targets[edge] && distance[node] + length === distance[graph.targets[edge]]
  );
}

function countPaths(graph: Graph, isWeighted: boolean, found: Paths, source: number): void {
  const { firstEdge, targets } = graph;
  const { distance, paths, order, reached } = found;
  paths.fill(0);
  paths[source] = 1;
  for (let i = 0; i < reached; i++) {
    const node = order[i];
    for (let edge = firstEdge[node]; edge < firstEdge[node + 1]; edge++)
      if (isOnPath(graph, isWeighted, distance, node, edge)) paths[targets[edge]] += paths[node];
  }
}

/** From the farthest back: what depends on a node is what depends on those that its paths lead to. */
function accumulate(
  graph: Graph,
  isWeighted: boolean,
  found: Paths,
  source: number,
  out: Float64Array,
): void {
  const { firstEdge, targets } = graph;
  const { distance, paths, order, reached, dependency } = found;
  dependency.fill(0);
  for (let i = reached - 1; i >= 0; i--) {
    const node = order[i];
    for (let edge = firstEdge[node]; edge < firstEdge[node + 1]; edge++) {
      const target = targets[edge];
      if (isOnPath(graph, isWeighted, distance, node, edge))
        dependency[node] += (paths[node] / paths[target]) * (1 + dependency[target]);
    }
    if (node !== source) out[node] += dependency[node];
  }
}
