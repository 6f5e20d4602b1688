import { kMeansFill } from "../../../services/kernels/impute/k-means-fill.js";
import { regressionFill } from "../../../services/kernels/impute/regression.js";
import { softImputeFill } from "../../../services/kernels/impute/soft-impute.js";
import { openPython } from "../../oracle/python.js";
import { processorSeconds } from "../processor-seconds.js";
import { printSpeed } from "../speed-line.js";
import { type TableCase, tableCase } from "./table-cases.js";

/**
 * Time a table of the imputers that learn, beside their counterparts in Python on one thread. `node dist/test/kernels/impute/table-fill.bench.js`
 */

const python = openPython("test/kernels/impute/table-fill.oracle.py");
const options = { maxGapMs: 1e15, windowMs: 1e15 };

async function pythonSecondsOf(name: string, table: TableCase, ...rest: number[]): Promise<number> {
  const given = { values: table.values, shape: [table.timestamps.length, table.columns] };
  const runs: number[] = [];
  for (let run = 0; run < 4; run++) {
    const [seconds] = await python.call<Float64Array>("seconds", name, given, ...rest);
    runs.push(seconds);
  }
  return runs.slice(1).sort((a, b) => a - b)[1];
}

for (const [rows, columns] of [
  [60, 8],
  [240, 12],
  [720, 24],
  [1000, 60],
]) {
  const shape = { rows, columns, factors: 3, noise: 0.3, missingShare: 0.1 };
  const table = tableCase("bench", 1, shape);
  const out = new Float64Array(table.values.length);
  const filled = new Uint8Array(out.length);
  const given = [table.timestamps, table.values, columns, out, filled] as const;
  for (const [name, library, oracle, rest, fill] of [
    ["regression", "scikit-learn", "iterative", [], () => regressionFill(options, ...given)],
    [
      "k-means",
      "scikit-learn",
      "k_means",
      [8, 1, 4],
      () => kMeansFill({ ...options, clusters: 8, seed: 1 }, ...given),
    ],
    [
      "SoftImpute",
      "numpy",
      "soft_impute",
      [0.05],
      () => softImputeFill({ ...options, shrinkage: 0.05 }, ...given),
    ],
  ] as const) {
    const seconds = await pythonSecondsOf(oracle, table, ...rest);
    printSpeed(`${name}, ${rows} × ${columns}`, processorSeconds(fill), { library, seconds });
  }
}
await python.close();
