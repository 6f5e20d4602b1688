import { Command, InvalidArgumentError } from "commander";
import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { fitIsolationForest, isolationScores } from "../../services/kernels/isolation-forest.js";
import { meanAndStandardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { randomStream } from "../../services/kernels/random.js";
import { isRobustZScoreOutlier } from "../../services/kernels/robust-z-score.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import { isZScoreOutlier } from "../../services/kernels/z-score.js";
import { installPython } from "../oracle/environment.js";
import { type Python, type Table, openPython } from "../oracle/python.js";
import { type LabelledSeries, readLabelledFolder } from "./labelled-series.js";

interface Options {
  readonly window: number;
  readonly forests: number;
}

const hourMs = 3_600_000;
const columns = ["forest", "scikit-learn", "difference", "iqr", "z-score", "robust z"] as const;
type Results = Record<(typeof columns)[number], number>;

const program = new Command("outliers.nab.js")
  .description(
    "How well the outlier detectors find the labelled anomalies of a folder of the Numenta Anomaly Benchmark: ROC AUC by " +
      "file, of 1 for a perfect order of the rows, and 0.5 for chance.\n\n" +
      "The folder has CSV files with the columns timestamp and value, and windows.json with the anomalous intervals of " +
      "each. iqr, z-score and robust z judge each value by the window before it. The isolation forests, ours and " +
      "scikit-learn's, are fitted to the whole file, on the same three features: value, its difference from the window's " +
      "mean, and the standard deviation of the window's last eighth.",
  )
  .argument("<folder>", "folder with windows.json and the CSV files")
  .option("--window <hours>", "length of the window", positive, 24)
  .option("--forests <count>", "how many forests of different seeds to take the mean of", count, 10)
  .helpOption("--help", "show this help")
  .addHelpText("after", "\nExample:\n  node dist/test/nab/outliers.nab.js ../nab --window 6")
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number < Infinity)) throw new InvalidArgumentError("It must be a number above 0.");
  return number;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 1 to 9999.");
  return Number(text);
}

async function run(folder: string, options: Options): Promise<void> {
  const all = readLabelledFolder(folder);
  if (all.length === 0) throw new Error(`${folder}: windows.json names no file`);
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  await installPython(print, new AbortController().signal);
  const nameWidth = Math.max(...all.map(({ file }) => file.length), "mean".length);
  print(tableRow(nameWidth, "file", ["rows", "anomalous", ...columns]));
  const results: Results[] = [];
  const python = openPython("test/kernels/outliers.oracle.py");
  try {
    for (const series of all) {
      const { file, labels, leftOut } = series;
      const anomalous = labels.reduce((sum, label) => sum + label, 0);
      const counts = [`${labels.length}`, `${anomalous}`];
      if (anomalous === 0 || anomalous === labels.length) {
        print(`${tableRow(nameWidth, file, counts)}  no AUC: it needs rows of both kinds`);
        continue;
      }
      const result = await judge(python, series, options);
      results.push(result);
      const note =
        leftOut > 0 ? `  (${leftOut} rows left out: no number, or not later than the one before)` : "";
      print(tableRow(nameWidth, file, [...counts, ...cells(result)]) + note);
    }
  } finally {
    await python.close();
  }
  if (results.length === 0) return;
  const means = Object.fromEntries(
    columns.map((name) => [name, results.reduce((sum, result) => sum + result[name], 0) / results.length]),
  ) as Results;
  print(tableRow(nameWidth, "mean", ["", "", ...cells(means)]));
}

function cells(results: Results): string[] {
  return columns.map((name) => results[name].toFixed(3));
}

function tableRow(nameWidth: number, name: string, cells: readonly string[]): string {
  return [name.padEnd(nameWidth), ...cells.map((cell) => cell.padStart(12))].join(" ");
}

async function judge(python: Python, series: LabelledSeries, options: Options): Promise<Results> {
  const { values, labels } = series;
  const auc = async (scores: Float64Array) => (await python.call<Float64Array>("roc_auc", labels, scores))[0];
  const firsts = windowStarts(series.timestamps, options.window * hourMs);
  const table = features(series, firsts, options.window * hourMs);
  let [ours, theirs] = [0, 0];
  for (let seed = 1; seed <= options.forests; seed++) {
    ours += (await auc(forestScores(table, seed))) / options.forests;
    theirs += (await auc(await python.call("forest_scores", table, seed))) / options.forests;
  }
  const [iqr, zScore, robust] = windowScores(values, firsts);
  return {
    forest: ours,
    "scikit-learn": theirs,
    difference: ours - theirs,
    iqr: await auc(iqr),
    "z-score": await auc(zScore),
    "robust z": await auc(robust),
  };
}

/** Where the window (t − w, t] of each row begins. */
function windowStarts(timestamps: Float64Array, windowMs: number): Int32Array {
  let first = 0;
  return Int32Array.from(timestamps, (ms, i) => {
    first = firstAfter(timestamps, 0, i + 1, ms - windowMs, first);
    return first;
  });
}

function features({ timestamps, values }: LabelledSeries, firsts: Int32Array, windowMs: number): Table {
  const table = new Float64Array(values.length * 3);
  const shortFirsts = windowStarts(timestamps, windowMs / 8);
  const both = new Float64Array(2);
  values.forEach((value, i) => {
    meanAndStandardDeviation(values, firsts[i], i + 1, both, 0);
    const difference = value - both[0];
    meanAndStandardDeviation(values, shortFirsts[i], i + 1, both, 0);
    // A window of one value has no deviation.
    table.set([value, difference, Number.isNaN(both[1]) ? 0 : both[1]], 3 * i);
  });
  return { values: table, shape: [values.length, 3] };
}

function forestScores({ values, shape: [rows, columns] }: Table, seed: number): Float64Array {
  const scores = new Float64Array(rows);
  const forest = fitIsolationForest(values, rows, columns, randomStream(seed, "nab", 0));
  if (forest !== null) isolationScores(forest, values, rows, scores, 0);
  return scores;
}

/** By IQR, z-score and robust z-score: how far a value is from the middle of its fences, of which each is 1 away. */
function windowScores(values: Float64Array, firsts: Int32Array): [Float64Array, Float64Array, Float64Array] {
  const scores = [0, 1, 2].map(() => new Float64Array(values.length));
  const sorted = new Float64Array(values.length);
  const out = new Float64Array(3);
  values.forEach((value, i) => {
    const first = firsts[i];
    const end = sortInto(sorted, 0, values, first, i + 1);
    isIqrOutlier(sorted, 0, end, value, out, 1);
    scores[0][i] = distance(value, out);
    isZScoreOutlier(values, first, i + 1, i, out, 0);
    scores[1][i] = distance(value, out);
    isRobustZScoreOutlier(sorted, 0, end, value, out, 0);
    scores[2][i] = distance(value, out);
  });
  return [scores[0], scores[1], scores[2]];
}

/** 0 where nobody could be judged. */
function distance(value: number, [, low, high]: Float64Array): number {
  return Number.isNaN(low) ? 0 : Math.abs(value - (low + high) / 2) / ((high - low) / 2);
}
