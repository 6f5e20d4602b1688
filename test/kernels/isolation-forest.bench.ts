import {
  fitIsolationForest,
  isolationScore,
  isolationScores,
  type IsolationForest,
} from "../../services/kernels/isolation-forest.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { isRobustZScoreOutlier } from "../../services/kernels/robust-z-score.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { isZScoreOutlier } from "../../services/kernels/z-score.js";
import { openPython } from "../oracle/python.js";
import { processorSeconds } from "./processor-seconds.js";
import { printSpeed } from "./speed-line.js";

/**
 * Time to fit an isolation forest and to score all rows, beside scikit-learn on one thread; then of what runs per row.
 * `node dist/test/kernels/isolation-forest.bench.js`
 */

const python = openPython("test/kernels/outliers.oracle.py");
for (const [rows, columns] of [
  [720, 1],
  [720, 8],
  [10_000, 8],
]) {
  const random = randomStream(1, "benchmark", rows);
  const values = Float64Array.from({ length: rows * columns }, () => normal(random));
  const out = new Float64Array(rows);
  let forest: IsolationForest | null = null;
  const fit = processorSeconds(() => {
    forest = fitIsolationForest(values, rows, columns, randomStream(1, "fit", 0));
  });
  const score = processorSeconds(() => forest !== null && isolationScores(forest, values, rows, out, 0));
  const table = { values, shape: [rows, columns] };
  const [theirFit, theirScore] = await python.call<Float64Array>("seconds_to_fit_and_score", table, 5);
  const library = "scikit-learn";
  const name = `isolation forest of ${rows} × ${columns}`;
  printSpeed(`${name}, fit`, fit, { library, seconds: theirFit });
  printSpeed(`${name}, score`, score, { library, seconds: theirScore });
  printSpeed(`${name}, both`, fit + score, { library, seconds: theirFit + theirScore });
}
await python.close();

const random = randomStream(1, "rows", 0);
const values = Float64Array.from({ length: 720 }, () => normal(random));
const sorted = new Float64Array(720);
sortInto(sorted, 0, values, 0, 720);
const forest = fitIsolationForest(values, 720, 1, randomStream(1, "fit", 0))!;
const out = new Float64Array(3);
const perRow: Record<string, (i: number) => void> = {
  "isolation score of one row": (i) => void (out[0] = isolationScore(forest, values, i)),
  "z-score among 720": () => void isZScoreOutlier(values, 0, 720, 719, out, 0),
  "robust z-score among 720": (i) => void isRobustZScoreOutlier(sorted, 0, 720, values[i], out, 0),
};
const repetitions = 20;
for (const [name, row] of Object.entries(perRow)) {
  const seconds = processorSeconds(() => {
    for (let i = 0; i < 720 * repetitions; i++) row(i % 720);
  });
  printSpeed(name, seconds / (720 * repetitions));
}
