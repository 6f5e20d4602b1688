import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isIqrOutlier, minimumOthers, noiseShare } from "../../services/kernels/iqr.js";
import { isolationScore, isolationScores } from "../../services/kernels/isolation-forest.js";
import { isolationForestOf } from "../../services/kernels/isolation-tree-import.js";
import { averagePathLength } from "../../services/kernels/path-length.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { isRobustZScoreOutlier } from "../../services/kernels/robust-z-score.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { isZScoreOutlier } from "../../services/kernels/z-score.js";
import { openComparison } from "../oracle/comparison.js";
import { type Python, type Table, openPython } from "../oracle/python.js";
import { largestFinite, seriesCases } from "../oracle/series-cases.js";

const windowLength = 150;
const windowsPerSeries = 12;

interface Windows {
  readonly firsts: Float64Array;
  readonly ends: Float64Array;
  readonly scored: Float64Array;
}

/** Windows of a series that judge a finite value, mostly their last, by enough others. */
function windowsOf(values: Float64Array): Windows {
  const windows: { first: number; end: number; scored: number }[] = [];
  const step = Math.max(1, Math.floor(values.length / windowsPerSeries));
  for (let end = values.length; end > 0; end -= step) {
    const first = Math.max(0, end - windowLength);
    const scored = end % 4 === 0 ? first : end % 4 === 1 ? (first + end) >>> 1 : end - 1;
    const finite = values.subarray(first, end).filter((value) => Number.isFinite(value)).length;
    if (finite > minimumOthers && Number.isFinite(values[scored])) windows.push({ first, end, scored });
  }
  return {
    firsts: Float64Array.from(windows, ({ first }) => first),
    ends: Float64Array.from(windows, ({ end }) => end),
    scored: Float64Array.from(windows, ({ scored }) => scored),
  };
}

/** As the Python side scales a series, to the exponent. */
function exponentOf(values: Float64Array): number {
  const largest = largestFinite(values);
  return largest > 1e150 ? -900 : largest > 0 && largest < 1e-150 ? 900 : 0;
}

function sortedWindow(values: Float64Array, first: number, end: number): Float64Array {
  const sorted = new Float64Array(end - first);
  return sorted.subarray(0, sortInto(sorted, 0, values, first, end));
}

const column = ({ values, shape }: Table, index: number): Float64Array =>
  Float64Array.from({ length: shape[0] }, (_, row) => values[row * shape[1] + index]);

describe("outliers of one series", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/outliers.oracle.py", { remembers: true });
  });
  after(() => python.close());

  /** Calls `compare` for each window that the reference answers. */
  async function eachWindow(
    reference: string,
    compare: (
      values: Float64Array,
      bounds: { first: number; end: number; scored: number },
      expected: readonly number[],
      scaleBack: number,
      name: string,
    ) => void,
  ): Promise<void> {
    // Of constants there is no deviation to divide by: outliers.test.ts has what they answer instead.
    for (const { name, values } of seriesCases(["constant"])) {
      const { firsts, ends, scored } = windowsOf(values);
      if (firsts.length === 0) continue;
      const table = await python.call<Table>(reference, values, firsts, ends, scored);
      const columns = Array.from({ length: table.shape[1] }, (_, index) => column(table, index));
      for (let i = 0; i < firsts.length; i++) {
        compare(
          values,
          { first: firsts[i], end: ends[i], scored: scored[i] },
          columns.map((cells) => cells[i]),
          2 ** exponentOf(values),
          `${name}, window ${i}`,
        );
      }
    }
  }

  it("by IQR have the fences of numpy's percentiles", async (context) => {
    const comparison = openComparison("IQR fences", "numpy percentile(others, [25, 75]) ∓ 1.5 IQR");
    await eachWindow("iqr_fences", (values, { first, end, scored }, expected, scaling, name) => {
      const [q1, q3, low, high] = expected;
      // Without a range, other percentiles take their place.
      if (q3 - q1 <= noiseShare * Math.max(Math.abs(q1), Math.abs(q3))) return;
      const sorted = sortedWindow(values, first, end);
      const fences = new Float64Array(2);
      isIqrOutlier(sorted, 0, sorted.length, values[scored], fences, 0);
      if (name.startsWith("denormal")) {
        // There, the smallest double is no small share of a fence.
        const off = (at: number) => Math.abs(fences[at] - expected[2 + at] / scaling) / Number.MIN_VALUE;
        assert.ok(off(0) <= 4 && off(1) <= 4, name);
        return;
      }
      const scale = Math.max(Math.abs(q1), Math.abs(q3));
      comparison.compare(
        fences.map((fence) => fence * scaling),
        [low, high],
        name,
        scale,
      );
    });
    comparison.conclude(context);
  });

  it("by z-score have scipy's score", async (context) => {
    const comparison = openComparison("z-score", "scipy zmap(x, others, ddof=0)");
    await eachWindow("z_scores", (values, { first, end, scored }, [score, deviation], scaling, name) => {
      const out = new Float64Array(3);
      const outlier = isZScoreOutlier(values, first, end, scored, out, 0);
      // The mean of values on a high level is known to a share of the level, not of the deviation.
      const scale = (largestFinite(values.subarray(first, end)) * scaling) / deviation;
      comparison.compare([out[0]], [score], name, scale);
      if (Math.abs(Math.abs(score) - 3) > 1e-6) assert.equal(outlier, Math.abs(score) > 3, name);
    });
    comparison.conclude(context);
  });

  it("by robust z-score have the score of numpy's and scipy's medians", async (context) => {
    const oracle = "0.6745 (x − numpy median) / scipy median_abs_deviation";
    const comparison = openComparison("robust z-score", oracle);
    await eachWindow("robust_z_scores", (values, { first, end, scored }, expected, scaling, name) => {
      const [score, deviation] = expected;
      const sorted = sortedWindow(values, first, end);
      const out = new Float64Array(3);
      const outlier = isRobustZScoreOutlier(sorted, 0, sorted.length, values[scored], out, 0);
      const scale = (largestFinite(values.subarray(first, end)) * scaling) / deviation;
      comparison.compare([out[0]], [score], name, scale);
      if (Math.abs(Math.abs(score) - 3.5) > 1e-6) assert.equal(outlier, Math.abs(score) > 3.5, name);
    });
    comparison.conclude(context);
  });
});

interface ForestCase {
  readonly name: string;
  readonly fitted: Table;
  readonly judged: Table;
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

/** Tables of columns side by side, as long as the shortest. */
function tableOf(columns: readonly Float64Array[]): Table {
  const rows = Math.min(...columns.map(({ length }) => length));
  const values = new Float64Array(rows * columns.length);
  columns.forEach((cells, c) => {
    for (let row = 0; row < rows; row++) values[row * columns.length + c] = cells[row];
  });
  return { values, shape: [rows, columns.length] };
}

function forestCases(): ForestCase[] {
  const cases: ForestCase[] = [];
  // 1e300 is infinite in single precision, and scikit-learn draws no threshold from infinities.
  const series = seriesCases(["huge"]).filter(({ name }) => name.includes(", regular"));
  for (const [index, { name, values }] of series.entries()) {
    const fitted = tableOf([Float64Array.from(values, (value) => (Number.isFinite(value) ? value : NaN))]);
    const judged = tableOf([Float64Array.of(...values, ...extremes)]);
    cases.push({ name, fitted, judged, options: { n_estimators: 10, random_state: index } });
  }
  for (const columns of [1, 3, 8]) {
    const random = randomStream(columns, "forest cases", 0);
    const rows = 720;
    const made = Array.from({ length: columns }, () =>
      Float64Array.from({ length: rows }, () => normal(random)),
    );
    const fitted = tableOf(made);
    const holed = tableOf(made.map((cells) => cells.map((cell) => (random() < 0.1 ? NaN : 3 * cell))));
    for (const options of [
      { random_state: 1 },
      { random_state: 2, max_samples: 64, contamination: 0.05, n_estimators: 30 },
      { random_state: 3, bootstrap: true, max_features: 0.7, n_estimators: 30 },
    ]) {
      const name = `${columns} columns, ${JSON.stringify(options)}`;
      cases.push({ name, fitted, judged: fitted, options });
      cases.push({ name: `${name}, missing`, fitted, judged: holed, options });
      cases.push({ name: `${name}, fitted to missing`, fitted: holed, judged: holed, options });
    }
  }
  return cases;
}

const extremes = [
  0,
  -0,
  1e-45,
  -1e-45,
  5e-324,
  1e30,
  -1e30,
  1e39,
  -1e39,
  1e300,
  -1e300,
  Infinity,
  -Infinity,
  NaN,
];

describe("isolation forests from scikit-learn", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/outliers.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("score as they do there", async (context) => {
    const comparison = openComparison("isolation forest, imported", "scikit-learn -score_samples(X)", 1e-15);
    for (const { name, fitted, judged, options } of forestCases()) {
      const [text, scores, outliers] = await python.call<[string, Float64Array, Float64Array]>(
        "fitted",
        fitted,
        judged,
        options,
      );
      const forest = isolationForestOf(JSON.parse(text));
      if (typeof forest === "string") assert.fail(`${name}: ${forest}`);
      const [rows, columns] = judged.shape;
      const out = new Float64Array(rows);
      isolationScores(forest, judged.values, rows, out, 0);
      comparison.compare(out, scores, name);
      for (let row = 0; row < rows; row++) {
        assert.equal(isolationScore(forest, judged.values, row * columns), out[row], `${name}, row ${row}`);
        if (Math.abs(scores[row] - forest.outlierAbove) > 1e-12)
          assert.equal(out[row] > forest.outlierAbove, outliers[row] === 1, `${name}, row ${row}`);
      }
    }
    comparison.conclude(context);
  });

  it("have its average path lengths", async (context) => {
    const counts = Float64Array.from({ length: 5000 }, (_, i) => (i < 4000 ? i : 4000 + (i - 4000) ** 3));
    const comparison = openComparison("average path length", "scikit-learn _average_path_length", 1e-14);
    const expected = await python.call<Float64Array>("average_path_lengths", counts);
    comparison.compare(counts.map(averagePathLength), expected, "counts");
    comparison.conclude(context);
  });
});
