import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { errorRate } from "../../services/kernels/error-rate.js";
import { throughput } from "../../services/kernels/throughput.js";
import { anyArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const of = (errors: number[], all: number[]) => errorRate(Float64Array.from(errors), Float64Array.from(all));

describe("throughput", () => {
  it("adds the rates that there are", () => {
    assert.equal(throughput(Float64Array.of(1.5, NaN, 2)), 3.5);
    assert.equal(throughput(Float64Array.of(1e16, 1, -1e16)), 1);
    assert.equal(throughput(Float64Array.of(NaN, NaN)), NaN);
    assert.equal(throughput(new Float64Array(0)), NaN);
  });

  it("depends on the finite rates only, and changes no input", () => {
    fc.assert(
      fc.property(anyArray, (raw) => {
        const rates = Float64Array.from(raw);
        const finite = raw.filter((rate) => Number.isFinite(rate));
        assert.equal(bitText([throughput(rates)]), bitText([throughput(Float64Array.from(finite))]));
        assert.equal(bitText(rates), bitText(raw));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("error rate", () => {
  it("is errors per hundred requests", () => {
    assert.equal(of([0.5, 0.25], [0.5, 0.25, 2.25]), 25);
    assert.equal(of([0], [4]), 0);
    assert.equal(of([2], [2]), 100);
  });

  it("is unknown without requests, and 0 where no error ever came", () => {
    assert.equal(of([0], [0]), NaN);
    assert.equal(of([NaN], [NaN]), NaN);
    assert.equal(of([], []), NaN);
    assert.equal(of([], [3]), 0);
    assert.equal(of([NaN], [3]), 0);
  });
});
