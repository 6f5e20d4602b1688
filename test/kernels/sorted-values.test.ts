import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { insert, remove, replace, sortInto } from "../../services/kernels/sorted-values.js";
import { anyArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const value = fc.oneof(
  fc.constantFrom(-1, -0, 0, 1, 2, 3, 1e300, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const step = fc.record({
  kind: fc.constantFrom("insert" as const, "insert" as const, "remove" as const, "replace" as const),
  value,
  which: fc.nat(),
});

const afresh = (values: number[]): string =>
  bitText(
    values
      .filter((x) => Number.isFinite(x))
      .map((x) => x + 0)
      .sort((a, b) => a - b),
  );

describe("sorted values", () => {
  it("are what sorting afresh gives, to the bit, whatever happened before, and nothing beside them is touched", () => {
    fc.assert(
      fc.property(anyArray, fc.array(step, { maxLength: 120 }), fc.nat({ max: 3 }), (begin, steps, start) => {
        const sorted = new Float64Array(start + begin.length + steps.length + 1).fill(-7);
        const given = Float64Array.from(begin);
        let end = sortInto(sorted, start, given, 0, begin.length);
        assert.equal(bitText(given), bitText(begin));
        const model = begin.filter((x) => Number.isFinite(x));
        for (const { kind, value: entering, which } of steps) {
          if (kind === "insert" || model.length === 0) {
            insert(sorted, start, end++, entering);
            model.push(entering);
          } else {
            const [leaving] = model.splice(which % model.length, 1);
            if (kind === "remove") assert.ok(remove(sorted, start, end--, leaving));
            else {
              assert.ok(replace(sorted, start, end, leaving, entering));
              model.push(entering);
            }
          }
          assert.equal(bitText(sorted.subarray(start, end)), afresh(model));
        }
        assert.ok(sorted.subarray(0, start).every((x) => x === -7));
        assert.equal(sorted[sorted.length - 1], -7);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("do not give what they do not hold, and stay as they were", () => {
    const sorted = Float64Array.of(1, 3, 9);
    assert.equal(remove(sorted, 0, 2, 2), false);
    assert.equal(remove(sorted, 0, 2, 9), false);
    assert.equal(replace(sorted, 0, 2, 9, 5), false);
    assert.deepEqual([...sorted], [1, 3, 9]);
  });

  it("come from any part of an array", () => {
    const sorted = new Float64Array(5);
    assert.equal(sortInto(sorted, 1, Float64Array.of(9, 5, NaN, 3, 4, 0), 1, 5), 4);
    assert.deepEqual([...sorted], [0, 3, 4, 5, 0]);
  });
});
