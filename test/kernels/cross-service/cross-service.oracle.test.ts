import { after, before, describe, it } from "node:test";
import { betweenness } from "../../../services/kernels/cross-service/betweenness.js";
import { correlation } from "../../../services/kernels/cross-service/correlation.js";
import {
  degreeCentrality,
  weightedDegrees,
} from "../../../services/kernels/cross-service/degree-centrality.js";
import { type Graph, graphOf } from "../../../services/kernels/cross-service/graph.js";
import { pageRank } from "../../../services/kernels/cross-service/page-rank.js";
import { randomStream } from "../../../services/kernels/random.js";
import { openComparison } from "../../oracle/comparison.js";
import { nodeExporterDay } from "../../oracle/node-exporter-day.js";
import { type Python, openPython } from "../../oracle/python.js";
import { seriesCases } from "../../oracle/series-cases.js";

/** Pairs of columns of a grid: series of the same length, cut to the shorter. */
function pairs(): { name: string; x: Float64Array; y: Float64Array }[] {
  const groups = [seriesCases(), nodeExporterDay()];
  return groups.flatMap((series) =>
    series.flatMap(({ name, values }, i) =>
      // The next of its kind, one of another kind, and itself, noisy.
      [1, 37].map((step) => {
        const other = series[(i + step) % series.length];
        const length = Math.min(values.length, other.values.length);
        return {
          name: `${name} and ${other.name}`,
          x: values.slice(0, length),
          y: other.values.slice(0, length),
        };
      }),
    ),
  );
}

interface Edges {
  readonly name: string;
  readonly nodes: number;
  readonly sources: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

/** Seeded graphs, sparse and dense, with ties, loops, repeated edges, dangling and lonely nodes. */
function graphs(): Edges[] {
  return [1, 2, 3, 5, 8, 13, 21, 40].flatMap((nodes) =>
    [0, 0.5, 1, 2, 5].flatMap((density) =>
      ["rates", "ties"].map((kind) => {
        const random = randomStream(nodes, `${kind} ${density}`, 0);
        const edges = Array.from({ length: Math.floor(nodes * density) }, () => ({
          source: Math.floor(random() * nodes),
          target: Math.floor(random() * nodes),
          weight: kind === "ties" ? 1 + Math.floor(random() * 3) : 1000 * random() ** 4 + 1e-3,
        }));
        return {
          name: `${nodes} nodes, ${density} edges a node, ${kind}`,
          nodes,
          sources: Float64Array.from(edges, ({ source }) => source),
          targets: Float64Array.from(edges, ({ target }) => target),
          weights: Float64Array.from(edges, ({ weight }) => weight),
        };
      }),
    ),
  );
}

describe("cross-service features", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/cross-service/cross-service.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("correlation equals pandas", async (context) => {
    const comparison = openComparison("rolling correlation", "pandas rolling(n).corr()");
    for (const { name, x, y } of pairs()) {
      for (const [window, minimum] of [
        [12, 2],
        [60, 10],
        [720, 60],
      ]) {
        const ends = Float64Array.from(
          [0.1, 0.4, 0.7, 1].map((share) => Math.max(1, Math.floor(share * x.length))),
        );
        const expected = await python.call<Float64Array>("rolling_correlation", x, y, ends, window, minimum);
        const ours = ends.map((end) => correlation(x, y, Math.max(0, end - window), end, minimum));
        comparison.compare(ours, expected, `${name}, window ${window}`, 1);
      }
    }
    comparison.conclude(context);
  });

  it("graph measures equal networkx", async (context) => {
    const measures = {
      rank: openComparison("PageRank", "networkx pagerank"),
      inCentrality: openComparison("in-degree centrality", "networkx in_degree_centrality", 0),
      outCentrality: openComparison("out-degree centrality", "networkx out_degree_centrality", 0),
      inWeight: openComparison("weighted in-degree", "networkx in_degree(weight)"),
      outWeight: openComparison("weighted out-degree", "networkx out_degree(weight)"),
      betweenness: openComparison("betweenness", "networkx betweenness_centrality"),
      weightedBetweenness: openComparison("weighted betweenness", "networkx betweenness_centrality(weight)"),
    };
    for (const { name, nodes, sources, targets, weights } of graphs()) {
      const ours = measuresOf(graphOf(nodes, sources, targets, weights));
      const expected = await python.call<Record<string, Float64Array>>(
        "graph_measures",
        nodes,
        sources,
        targets,
        weights,
      );
      for (const [measure, comparison] of Object.entries(measures))
        comparison.compare(ours[measure], expected[measure], `${name}, ${measure}`);
    }
    for (const comparison of Object.values(measures)) comparison.conclude(context);
  });
});

function measuresOf(graph: Graph): Record<string, Float64Array> {
  const column = () => new Float64Array(graph.nodes);
  const measures = {
    rank: column(),
    inCentrality: column(),
    outCentrality: column(),
    inWeight: column(),
    outWeight: column(),
    betweenness: column(),
    weightedBetweenness: column(),
  };
  pageRank(graph, measures.rank);
  degreeCentrality(graph, measures.inCentrality, measures.outCentrality);
  weightedDegrees(graph, measures.inWeight, measures.outWeight);
  betweenness(graph, false, measures.betweenness);
  betweenness(graph, true, measures.weightedBetweenness);
  return measures;
}
