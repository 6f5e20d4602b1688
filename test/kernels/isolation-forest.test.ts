import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  fitIsolationForest,
  isolationForestDefaults,
  isolationScore,
  isolationScores,
  type IsolationForest,
} from "../../services/kernels/isolation-forest.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { anyArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const few = { ...isolationForestDefaults, trees: 10 };

function fit(table: Float64Array, columns: number, options = few, seed = 1): IsolationForest | null {
  const rows = Math.floor(table.length / columns);
  return fitIsolationForest(table, rows, columns, randomStream(seed, "series", 0), options);
}

function scoresOf(forest: IsolationForest, table: Float64Array): Float64Array {
  const rows = Math.floor(table.length / forest.columns);
  const out = new Float64Array(rows);
  isolationScores(forest, table, rows, out, 0);
  return out;
}

function forestText(forest: IsolationForest | null): string {
  if (forest === null) return "none";
  const { roots, column, threshold, children, averageSum, outlierAbove } = forest;
  return [roots, column, threshold, children, [averageSum, outlierAbove]].map(bitText).join("\n");
}

function noise(rows: number, columns: number): Float64Array {
  const random = randomStream(7, "noise", rows);
  return Float64Array.from({ length: rows * columns }, () => normal(random));
}

/** The rows in another order. */
function shuffled(table: Float64Array, columns: number, seed: number): Float64Array {
  const random = randomStream(seed, "shuffle", 0);
  const rows = Array.from({ length: table.length / columns }, (_, row) =>
    table.subarray(row * columns, (row + 1) * columns),
  );
  for (let i = rows.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [rows[i], rows[other]] = [rows[other], rows[i]];
  }
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

describe("isolation forest", () => {
  const columns = fc.integer({ min: 1, max: 4 });

  it("scores in (0, 1] what is finite, and nothing else, never throws, and changes no input", () => {
    fc.assert(
      fc.property(anyArray, anyArray, columns, (fitted, judged, width) => {
        const table = Float64Array.from(fitted);
        const others = Float64Array.from(judged);
        const unchanged = [bitText(table), bitText(others)];
        const forest = fit(table, width);
        if (forest !== null) {
          scoresOf(forest, others).forEach((score, row) => {
            const isComplete = others
              .subarray(row * width, (row + 1) * width)
              .every((value) => Number.isFinite(value));
            assert.ok(isComplete ? score > 0 && score <= 1 : Number.isNaN(score), `${score}`);
          });
        }
        assert.deepEqual([bitText(table), bitText(others)], unchanged);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("is a function of the rows and of the seed, wherever its rows lie", () => {
    const table = noise(600, 2);
    assert.equal(forestText(fit(table, 2)), forestText(fit(table.slice(), 2)));
    assert.notEqual(forestText(fit(table, 2)), forestText(fit(table, 2, few, 2)));
    const padded = Float64Array.from([...noise(5, 2), ...table]);
    assert.equal(forestText(fit(padded.subarray(10), 2)), forestText(fit(table, 2)));
  });

  it("does not depend on the rows' order where each tree sees all of them", () => {
    fc.assert(
      fc.property(anyArray, columns, fc.nat(), (values, width, seed) => {
        const rows = Math.min(256, Math.floor(values.length / width));
        const table = Float64Array.from(values.slice(0, rows * width));
        assert.equal(forestText(fit(shuffled(table, width, seed), width)), forestText(fit(table, width)));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("scores each row by itself, whatever others are scored with it", () => {
    const forest = fit(noise(300, 3), 3)!;
    const judged = noise(100, 3).map((value, i) => (i % 50 === 0 ? NaN : 2 * value));
    const together = scoresOf(forest, judged);
    const alone = together.map((_, row) => isolationScore(forest, judged, row * 3));
    assert.equal(bitText(together), bitText(alone));
    const out = new Float64Array(102).fill(-1);
    isolationScores(forest, judged, 100, out, 1);
    assert.equal(bitText(out), bitText([-1, ...together, -1]));
  });

  it("leaves out rows with a value that is not finite, to the bit", () => {
    const table = noise(200, 2);
    const holed = Float64Array.from([NaN, 1, ...table, 2, Infinity]);
    assert.equal(forestText(fit(holed, 2)), forestText(fit(table, 2)));
    assert.equal(fit(Float64Array.of(NaN, 1, 2, Infinity), 2), null);
    assert.equal(fit(new Float64Array(0), 1), null);
  });

  it("has for one row, and for equal rows, one half", () => {
    for (const table of [Float64Array.of(5), new Float64Array(100).fill(5)])
      assert.equal(isolationScore(fit(table, 1)!, Float64Array.of(1e9), 0), 0.5);
  });

  it("finds what lies apart, on whatever scale and level", () => {
    for (const [scale, level] of [
      [1, 0],
      [1e-12, 0],
      [1, 1e12],
      [1e300, 0],
      [2 ** -1060, 0],
    ]) {
      const table = noise(256, 1).map((value, i) => level + scale * (i === 200 ? 12 : value));
      const scores = scoresOf(fit(table, 1, isolationForestDefaults)!, table);
      assert.equal(scores.indexOf(Math.max(...scores)), 200, `${scale} and ${level}`);
      assert.ok(scores[200] > 0.7, `${scale} and ${level}: ${scores[200]}`);
    }
  });

  it("has trees of bounded depth, whose leaves hold the whole sample", () => {
    const forest = fit(noise(5000, 2), 2, { ...few, sampleSize: 200 })!;
    const { roots, children, column } = forest;
    assert.equal(forest.depth, 8);
    const deepest = (node: number): number =>
      children[2 * node] === node
        ? 0
        : 1 + Math.max(deepest(children[2 * node]), deepest(children[2 * node + 1]));
    for (const root of roots) assert.ok(deepest(root) <= 8);
    assert.ok(column.every((asked) => asked === 0 || asked === 1) && column.includes(1));
  });

  it("takes the share of outliers that it is told", () => {
    const table = noise(1000, 2);
    for (const contamination of [0.01, 0.1, 0.5]) {
      const forest = fit(table, 2, { ...isolationForestDefaults, contamination })!;
      const outliers = scoresOf(forest, table).filter((score) => score > forest.outlierAbove).length;
      assert.ok(Math.abs(outliers / 1000 - contamination) <= 0.002, `${contamination}: ${outliers}`);
    }
    assert.equal(fit(table, 2)!.outlierAbove, 0.5);
  });
});
