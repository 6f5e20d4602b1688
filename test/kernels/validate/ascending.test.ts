import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { markDisorder } from "../../../services/kernels/validate/ascending.js";

function disorder(values: readonly number[], allowsEqual: boolean): number[] {
  // Where they stand in the frame is another order than that of the rule.
  const places = Int32Array.from([-1, ...values.map((_, i) => values.length - i)]);
  const frame = Float64Array.from([NaN, ...values.toReversed()]);
  const broken = new Uint8Array(values.length + 1).fill(7);
  const any = markDisorder(frame, places, 1, values.length, allowsEqual, broken);
  assert.equal(broken[values.length], 7, "writes no more than its values");
  const marked = [...broken.subarray(0, values.length)];
  assert.equal(any, marked.includes(1));
  return marked;
}

it("marks both values of a pair that does not ascend", () => {
  assert.deepEqual(disorder([1, 2, 3], false), [0, 0, 0]);
  assert.deepEqual(disorder([1, 4, 3], false), [0, 1, 1]);
  assert.deepEqual(disorder([5, 4, 3], false), [1, 1, 1]);
  assert.deepEqual(disorder([5, 4, 4.5], true), [1, 1, 0]);
  assert.deepEqual(disorder([], true), []);
  assert.deepEqual(disorder([1], false), [0]);
});

it("takes equal values as in order only where that is allowed", () => {
  assert.deepEqual(disorder([0, -0, 0], true), [0, 0, 0]);
  assert.deepEqual(disorder([0, 0, 1], false), [1, 1, 0]);
});

it("judges nothing where a value is none", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.deepEqual(disorder([3, 2, value], false), [0, 0, 0]);
});

it("marks nothing in what is sorted, and something in all else", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 6 }),
      fc.boolean(),
      (values, equal) => {
        const ascends = values.every(
          (value, i) => i === 0 || values[i - 1] < value || (equal && values[i - 1] === value),
        );
        assert.equal(disorder(values, equal).includes(1), !ascends);
      },
    ),
    { seed: 1, numRuns: 1000 },
  );
});
