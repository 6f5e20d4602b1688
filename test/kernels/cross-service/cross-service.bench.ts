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

/**
 * Microseconds a row of correlations and a graph, and those of pandas and networkx.
 * `node dist/test/kernels/cross-service/cross-service.bench.js`
 */

const random = randomStream(1, "cross-service", 0);

/** The median of five runs, after one to warm up, of the processor's time. */
function microseconds(rows: number, row: (i: number) => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < rows; i++) row(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / rows;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}

function report(name: string, ours: number, library: string, theirs: number): void {
  const ratio = (theirs / ours).toFixed(1);
  process.stdout.write(`${name}: ${ours.toFixed(1)} µs, ${library} ${theirs.toFixed(1)} µs: ${ratio} ×\n`);
}

const python = openPython("test/kernels/cross-service/cross-service.oracle.py");
const columns = Array.from({ length: 5 }, () => Float64Array.from({ length: 3_000 }, () => random()));
const state = openCorrelationState();
const out = new Float64Array(pairsOf(columns.length));
for (const window of [60, 180, 720]) {
  const ours = microseconds(2_000, (i) => correlations(state, columns, i, i + window, 2, out, 0));
  const [seconds] = await python.call<Float64Array>("correlation_seconds", columns, window);
  const theirs = (seconds * 1e6) / 3_000;
  report(`a row of ${out.length} correlations over ${window} rows`, ours, "pandas", theirs);
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
  report(
    `${name} of ${nodes} nodes, ${edges.length} edges`,
    microseconds(300, kernels[i]),
    "networkx",
    seconds[i] * 1e6,
  );
await python.close();
