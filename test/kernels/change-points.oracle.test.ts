import { after, before, describe, it } from "node:test";
import { changePenalty, changePoints, openChangePointScratch } from "../../services/kernels/change-points.js";
import { numpySquares } from "../../services/kernels/numpy-variance.js";
import { newestDrift, pageHinkleyDefaults } from "../../services/kernels/page-hinkley.js";
import { pelt } from "../../services/kernels/pelt.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { openComparison } from "../oracle/comparison.js";
import { type Python, openPython } from "../oracle/python.js";
import { largestFinite, type SeriesCase, seriesCases } from "../oracle/series-cases.js";

const scratch = openChangePointScratch();
/** ruptures takes seconds for long signals. */
const longest = 120;

/** Signals whose totals tie: few values, periods, runs, and one that is the mirror of itself. */
function tiedSignals(): SeriesCase[] {
  const random = randomStream(1, "tied signals", 0);
  let walked = 0;
  const shapes: Record<string, (i: number, n: number) => number> = {
    "coin tosses": () => Math.floor(2 * random()),
    "three levels": () => 0.1 * Math.floor(3 * random()),
    "mostly idle": () => (random() < 0.05 ? 5 : 0),
    alternating: (i) => i % 2,
    periodic: (i) => [0, 0, 0.3, 0.3, 0.7][i % 5],
    staircase: (i) => Math.floor(i / 10),
    mirrored: (i, n) => Math.abs(i - (n - 1) / 2) ** 2,
    "two runs on a level": (i, n) => 1e9 + (i < n / 2 ? 0 : 1),
    ramp: (i) => i,
    "steps of a large level": (i) => 1e9 + 1e8 * Math.floor(i / 15) + 1e3 * normal(random),
    "last bits of a level": () => 1e12 + 1e-3 * Math.floor(2 * random()),
    "random walk": (i) => (i === 0 ? (walked = 0) : (walked += normal(random))),
    pulse: (i, n) => (i > n / 3 && i < n / 2 ? 1 / 3 : 0),
  };
  return Object.entries(shapes).flatMap(([name, value]) =>
    [2, 3, 4, 5, 6, 7, 9, 16, 40, 120].map((n) => ({
      name: `${name}, ${n}`,
      timestamps: Float64Array.from({ length: n }, (_, i) => i),
      values: Float64Array.from({ length: n }, (_, i) => value(i, n)),
    })),
  );
}

/** The break points as ruptures tells them: among the finite values, and with the end. */
function asRuptures(points: Int32Array, values: Float64Array): Float64Array {
  const count = (end: number) => values.subarray(0, end).filter((value) => Number.isFinite(value)).length;
  return Float64Array.from([...points, values.length], count);
}

describe("change points", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/change-points.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("rest on numpy's variance, to the bit", async (context) => {
    const squares = openComparison("sum of squares of a segment", "numpy var() · n", 0);
    const random = randomStream(1, "squares", 0);
    const values = Float64Array.from({ length: 5000 }, () => 100 + normal(random) / random());
    const ends = Float64Array.from({ length: 1500 }, (_, i) => 1 + i + (i > 1000 ? 7 * (i - 1000) : 0));
    const expected = await python.call<Float64Array>("squares", values, ends);
    squares.compare(
      ends.map((end) => numpySquares(values, 0, end)),
      expected,
      "from the first",
    );
    squares.conclude(context);
  });

  it("are ruptures' break points at any penalty", async (context) => {
    const points = openComparison("change points", "ruptures Pelt(l2, min_size=2, jump=1)", 0);
    // ruptures squares values, which 1e300 and 5e-324 do not survive: the next test has them.
    for (const { name, values } of [...tiedSignals(), ...seriesCases(["huge", "denormal"])]) {
      const finite = values.filter((value) => Number.isFinite(value)).subarray(0, longest);
      const unit = changePenalty(scratch, finite, 0, finite.length, 1);
      // Of short ones many: penalties where choices tie (0 and small whole numbers among them).
      const penalties = finite.length > 45 ? [unit] : [unit, 1, 0.5, unit / 20];
      for (const penalty of penalties.filter((penalty) => penalty >= 0)) {
        // Constants have no change points; ruptures may cut up the rounding of their means.
        if (new Set(finite).size < 2) continue;
        const out = new Int32Array(finite.length);
        const found = out.subarray(0, pelt(scratch.pelt, finite, 0, finite.length, penalty, out));
        const expected = await python.call<Float64Array>("pelt", finite, penalty);
        const actual = finite.length < 2 ? new Float64Array(0) : asRuptures(found, finite);
        points.compare(actual, expected, `${name}, penalty ${penalty}`);
      }
    }
    points.conclude(context);
  });

  it("are ruptures' break points at the penalty of a sensitivity", async (context) => {
    const points = openComparison("change points by sensitivity", "ruptures Pelt at 2σ² ln n", 0);
    const penalty = openComparison("penalty of a sensitivity", "2σ² ln n / sensitivity", 1e-14);
    for (const { name, values: all } of seriesCases()) {
      const values = all.subarray(-longest);
      const size = largestFinite(values);
      const scale = size > 1e150 ? 2 ** -900 : size < 1e-150 ? 2 ** 900 : 1;
      const scaled = values.filter((value) => Number.isFinite(value)).map((value) => value * scale);
      if (scaled.length < 4) continue;
      const ours = changePenalty(scratch, scaled, 0, scaled.length, 2);
      penalty.compare([ours], await python.call<Float64Array>("penalty", scaled, 2), name);
      const out = new Int32Array(values.length);
      const found = out.subarray(0, changePoints(scratch, values, 0, values.length, 2, out));
      const expected = await python.call<Float64Array>("pelt", scaled, ours);
      points.compare(asRuptures(found, values), expected, name);
    }
    points.conclude(context);
    penalty.conclude(context);
  });

  it("are drifts where Page and Hinkley's test tells of them", async (context) => {
    const comparison = openComparison("drifts", "river PageHinkley's definition", 0);
    for (const { name, values: all } of seriesCases()) {
      const values = all.subarray(-longest);
      const { alpha } = pageHinkleyDefaults;
      const scale = largestFinite(values);
      for (const [fewestSamples, delta, threshold] of [
        [30, 0.005, 50],
        [10, 0, 0.5 * scale],
        [1, 0.01 * scale, 0.1 * scale],
      ]) {
        const options = { fewestSamples, delta, threshold, alpha };
        const finite = values.filter((value) => Number.isFinite(value));
        const expected = await python.call<Float64Array>(
          "drifts",
          finite,
          fewestSamples,
          delta,
          threshold,
          alpha,
        );
        // Of the newest drift each row tells, and of an earlier one the rows before.
        const found = new Set(Array.from(finite, (_, i) => newestDrift(options, finite, 0, i + 1)));
        found.delete(-1);
        comparison.compare([...found], expected, `${name}, threshold ${threshold}`);
      }
    }
    comparison.conclude(context);
  });
});
