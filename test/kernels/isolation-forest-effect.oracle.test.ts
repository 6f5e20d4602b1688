import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fitIsolationForest, isolationScores } from "../../services/kernels/isolation-forest.js";
import { randomStream } from "../../services/kernels/random.js";
import { type Python, openPython } from "../oracle/python.js";
import { type AnomalyTable, simulatedTables, syntheticTables } from "./anomaly-tables.js";

/** What chance does to a forest is taken out by the mean over so many. */
const forests = 6;
const differenceMax = 0.01;

describe("isolation forest, by effect", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/outliers.oracle.py", { remembers: true });
  });
  after(() => python.close());

  const meanAuc = async (labels: Float64Array, scoresOf: (seed: number) => Promise<Float64Array>) => {
    let sum = 0;
    for (let seed = 1; seed <= forests; seed++)
      sum += (await python.call<Float64Array>("roc_auc", labels, await scoresOf(seed)))[0];
    return sum / forests;
  };

  const compared = async ({ name, values, columns, labels }: AnomalyTable) => {
    const ours = await meanAuc(labels, (seed) => {
      const random = randomStream(seed, name, 0);
      const forest = fitIsolationForest(values, labels.length, columns, random)!;
      const scores = new Float64Array(labels.length);
      isolationScores(forest, values, labels.length, scores, 0);
      return Promise.resolve(scores);
    });
    const table = { values, shape: [labels.length, columns] };
    const theirs = await meanAuc(labels, (seed) => python.call("forest_scores", table, seed));
    return { ours, theirs };
  };

  const told = (name: string, { ours, theirs }: { ours: number; theirs: number }) =>
    `${name}: ROC AUC ${ours.toFixed(4)}, scikit-learn ${theirs.toFixed(4)}`;

  it("finds anomalies of three kinds as well as scikit-learn's", async (context) => {
    for (const table of syntheticTables(1)) {
      const aucs = await compared(table);
      context.diagnostic(told(table.name, aucs));
      assert.ok(Math.abs(aucs.ours - aucs.theirs) <= differenceMax, told(table.name, aucs));
    }
  });

  it("finds the simulator's faults as well as scikit-learn's", async (context) => {
    for (const table of await simulatedTables(1, 6)) {
      const aucs = await compared(table);
      context.diagnostic(told(`${table.name}, ${table.labels.length} rows`, aucs));
      assert.ok(Math.abs(aucs.ours - aucs.theirs) <= differenceMax, told(table.name, aucs));
    }
  });
});
