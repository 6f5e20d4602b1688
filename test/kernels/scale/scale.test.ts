import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  fitMinMax,
  fitTransformMinMax,
  inverseMinMax,
  type MinMaxFit,
  transformMinMax,
} from "../../../services/kernels/scale/min-max.js";
import {
  fitRobust,
  fitTransformRobust,
  inverseRobust,
  type RobustFit,
  transformRobust,
} from "../../../services/kernels/scale/robust.js";
import {
  fitTransformZScore,
  fitZScore,
  inverseZScore,
  transformZScore,
  type ZScoreFit,
} from "../../../services/kernels/scale/z-score.js";
import type { FittedOn } from "../../../services/kernels/scale/fitted-on.js";
import { anyArray } from "../arbitrary-values.js";
import { bitText } from "../exact-arithmetic.js";

type Fit = MinMaxFit | ZScoreFit | RobustFit;
type Write<Result> = (fit: Fit, rows: Float64Array, out: Float64Array, outOffset: number) => Result;
interface Scaler {
  fit: (table: Float64Array, fittedOn: FittedOn) => Fit;
  transform: Write<void>;
  inverse: Write<void>;
  fitTransform: (table: Float64Array, fittedOn: FittedOn, out: Float64Array, outOffset: number) => Fit;
}
const scalers = {
  "min-max": {
    fit: fitMinMax,
    transform: transformMinMax as Write<void>,
    inverse: inverseMinMax as Write<void>,
    fitTransform: fitTransformMinMax,
  },
  "z-score": {
    fit: fitZScore,
    transform: transformZScore as Write<void>,
    inverse: inverseZScore as Write<void>,
    fitTransform: fitTransformZScore,
  },
  robust: {
    fit: fitRobust,
    transform: transformRobust as Write<void>,
    inverse: inverseRobust as Write<void>,
    fitTransform: fitTransformRobust,
  },
} satisfies Record<string, Scaler>;

const one: FittedOn = { columns: ["cpu"], fromMs: 1_000, toMs: 4_000 };
const two: FittedOn = { columns: ["cpu", "memory"], fromMs: 1_000, toMs: 4_000 };

function scaled({ fit, transform }: Scaler, ...values: number[]): number[] {
  const out = new Float64Array(values.length);
  transform(fit(Float64Array.from(values), one), Float64Array.from(values), out, 0);
  return [...out];
}

/** The value that `inverse(transform(value))` has to come back to within some ulps of the largest fitted. */
function sizeOf(fit: Fit, value: number): number {
  const [column] = fit.columns;
  if ("minimum" in column)
    return Math.max(
      Math.abs(value),
      Math.abs(column.minimum ?? 0),
      Math.abs(column.maximum ?? 0),
      // Ranges below scikit-learn's limit are scaled by 1.
      Math.abs(column.shift ?? 0) / (column.scale ?? 1),
    );
  return Math.max(Math.abs(value), Math.abs(column.centre ?? 0), column.scale ?? 0);
}

describe("scalers", () => {
  it("scale by hand-made examples", () => {
    assert.deepEqual(scaled(scalers["min-max"], 1, NaN, 3, 2), [0, NaN, 1, 0.5]);
    assert.deepEqual(
      scaled(scalers["z-score"], 1, 3, NaN, Infinity).map((x) => x.toFixed(12)),
      ["-1.000000000000", "1.000000000000", "NaN", "Infinity"],
    );
    assert.deepEqual(scaled(scalers.robust, 1, 2, 3, 4, 100), [-1, -0.5, 0, 0.5, 48.5]);
  });

  it("take a zero scale for 1, so that constants become 0", () => {
    for (const scaler of Object.values(scalers)) {
      assert.deepEqual(scaled(scaler, 0.1, 0.1, 0.1), [0, 0, 0]);
      assert.deepEqual(scaled(scaler, 7), [0]);
    }
  });

  it("fit each column by itself", () => {
    for (const { fit } of Object.values(scalers)) {
      const columns = fit(Float64Array.of(1, 10, 2, NaN, 4, 30), two).columns;
      assert.deepEqual(columns[0], fit(Float64Array.of(1, 2, 4), one).columns[0]);
      assert.deepEqual(columns[1], fit(Float64Array.of(10, 30), one).columns[0]);
    }
  });

  it("answer NaN in a column that had nothing to fit, and nothing for no rows", () => {
    for (const scaler of Object.values(scalers)) {
      const { columns } = scaler.fit(Float64Array.of(NaN, -Infinity), one);
      assert.equal(columns[0].count, 0);
      assert.deepEqual(scaled(scaler, NaN, -Infinity), [NaN, NaN]);
      assert.deepEqual(scaled(scaler), []);
    }
  });

  it("fit across the whole range of doubles", () => {
    const ends = [-1.7e308, 1.7e308];
    assert.deepEqual(
      scaled(scalers["min-max"], ...ends).map((x) => x.toFixed(12)),
      ["0.000000000000", "1.000000000000"],
    );
    assert.deepEqual(
      scaled(scalers["z-score"], ...ends).map((x) => x.toFixed(12)),
      ["-1.000000000000", "1.000000000000"],
    );
  });

  for (const [name, { fit, transform, inverse, fitTransform }] of Object.entries(scalers)) {
    it(`${name}: a fit stored as JSON is the same fit, of a version and of what was fitted`, () => {
      fc.assert(
        fc.property(anyArray, (raw) => {
          const values = Float64Array.from(raw);
          const made = fit(values, one);
          const read = JSON.parse(JSON.stringify(made)) as Fit;
          assert.deepEqual(read, made);
          assert.equal(read.version, 1);
          assert.deepEqual(read.fittedOn, one);
          const [before, after] = [new Float64Array(values.length), new Float64Array(values.length)];
          transform(made, values, before, 0);
          transform(read, values, after, 0);
          assert.equal(bitText(before), bitText(after));
        }),
        { seed: 1, numRuns: 500 },
      );
    });

    it(`${name}: inverse(transform(x)) is x, within ulps of the largest fitted; inputs stay, only its rows are written`, () => {
      fc.assert(
        fc.property(anyArray, (raw) => {
          const values = Float64Array.from(raw);
          const unchanged = bitText(values);
          const made = fit(values, one);
          const out = new Float64Array(values.length + 2).fill(-7);
          transform(made, values, out, 1);
          const together = new Float64Array(values.length + 2).fill(-7);
          assert.deepEqual(fitTransform(values, one, together, 1), made);
          assert.equal(bitText(together), bitText(out));
          const back = new Float64Array(values.length + 2).fill(-7);
          inverse(made, out.slice(1, -1), back, 1);
          assert.equal(bitText(values), unchanged);
          for (const all of [out, back]) assert.deepEqual([all[0], all[all.length - 1]], [-7, -7]);
          for (const [i, value] of values.entries()) {
            const returned = back[i + 1];
            if (made.columns[0].count === 0) assert.ok(Number.isNaN(returned));
            else if (!Number.isFinite(value)) assert.ok(Object.is(returned, value), `${value}: ${returned}`);
            else {
              const off = Math.abs(returned / 4 - value / 4);
              const ulps = 16 * 2 ** -52 * (sizeOf(made, value) / 4) + Number.MIN_VALUE;
              assert.ok(off <= ulps, `${value} came back as ${returned}`);
            }
          }
        }),
        { seed: 2, numRuns: 1000 },
      );
    });
  }
});
