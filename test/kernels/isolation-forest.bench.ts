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

/**
 * Milliseconds of processor time to fit an isolation forest and to score all rows, beside scikit-learn on one thread; then
 * nanoseconds of what runs per row. `node dist/test/kernels/isolation-forest.bench.js`
 */

const runs = 7;

/** The median, after one run to warm up. */
function milliseconds(run: () => void): number {
  const times = Array.from({ length: runs + 1 }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return times.slice(1).sort((a, b) => a - b)[runs >>> 1];
}

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
  const fit = milliseconds(() => {
    forest = fitIsolationForest(values, rows, columns, randomStream(1, "fit", 0));
  });
  const score = milliseconds(() => forest !== null && isolationScores(forest, values, rows, out, 0));
  const theirs = await python.call<Float64Array>(
    "seconds_to_fit_and_score",
    { values, shape: [rows, columns] },
    5,
  );
  const [theirFit, theirScore] = theirs.map((seconds) => seconds * 1_000);
  process.stdout.write(
    `${rows} × ${columns}: fit ${fit.toFixed(1)} ms, scikit-learn ${theirFit.toFixed(1)}; ` +
      `score ${score.toFixed(1)} ms, scikit-learn ${theirScore.toFixed(1)}; ` +
      `both: ${((theirFit + theirScore) / (fit + score)).toFixed(1)} ×\n`,
  );
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
  const ms = milliseconds(() => {
    for (let i = 0; i < 720 * repetitions; i++) row(i % 720);
  });
  process.stdout.write(`${name}: ${((ms * 1e6) / (720 * repetitions)).toFixed(0)} ns\n`);
}
process.stdout.write(`the forest of 720 × 1: ${forest.column.length} nodes of 20 bytes\n`);
