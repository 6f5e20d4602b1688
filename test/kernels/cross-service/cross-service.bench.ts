import { betweenness } from "../../../services/kernels/cross-service/betweenness.js";
import {
  correlations,
  openCorrelationState,
  pairsOf,
} from "../../../services/kernels/cross-service/correlation.js";
import { graphOf } from "../../../services/kernels/cross-service/graph.js";
import { pageRank } from "../../../services/kernels/cross-service/page-rank.js";
import { randomStream } from "../../../services/kernels/random.js";
import { openPython } from "../../oracle/python.js";
import { processorSeconds } from "../processor-seconds.js";
import { printSpeed } from "../speed-line.js";

/**
 * Time a row of correlations and a graph, beside pandas and networkx.
 * `node dist/test/kernels/cross-service/cross-service.bench.js`
 */

const random = randomStream(1, "cross-service", 0);

function secondsPerRow(rows: number, row: (i: number) => void): number {
  return (
    processorSeconds(() => {
      for (let i = 0; i < rows; i++) row(i);
    }) / rows
  );
}

const python = openPython("test/kernels/cross-service/cross-service.oracle.py");
const columns = Array.from({ length: 5 }, () => Float64Array.from({ length: 3_000 }, () => random()));
const state = openCorrelationState();
const out = new Float64Array(pairsOf(columns.length));
for (const window of [60, 180, 720]) {
  const ours = secondsPerRow(2_000, (i) => correlations(state, columns, i, i + window, 2, out, 0));
  const [seconds] = await python.call<Float64Array>("correlation_seconds", columns, window);
  const theirs = { library: "pandas", seconds: seconds / 3_000 };
  printSpeed(`${out.length} correlations over ${window} rows, a row`, ours, theirs);
}

const nodes = 50;
const edges = Array.from({ length: 200 }, () => [
  Math.floor(random() * nodes),
  Math.floor(random() * nodes),
  random(),
]);
const [sources, targets, weights] = [0, 1, 2].map((part) => Float64Array.from(edges, (edge) => edge[part]));
const graph = graphOf(nodes, sources, targets, weights);
const measure = new Float64Array(nodes);
const seconds = await python.call<Float64Array>("graph_seconds", nodes, sources, targets, weights);
const kernels = [
  () => pageRank(graph, measure),
  () => betweenness(graph, false, measure),
  () => betweenness(graph, true, measure),
];
for (const [i, name] of ["PageRank", "betweenness", "weighted betweenness"].entries())
  printSpeed(`${name} of ${nodes} nodes, ${edges.length} edges`, secondsPerRow(300, kernels[i]), {
    library: "networkx",
    seconds: seconds[i],
  });
await python.close();
