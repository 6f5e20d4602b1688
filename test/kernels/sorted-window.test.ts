import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { emptySortedWindow, insert, rebuild, remove, replace } from "../../services/kernels/sorted-window.js";
import { anyArray } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const value = fc.oneof(
  fc.constantFrom(-1, -0, 0, 1, 2, 3, 1e300, 5e-324, NaN, Infinity, -Infinity),
  fc.double(),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("insert" as const), value, which: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), value, which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("replace" as const), value, which: fc.nat() }) },
);

const isMember = (x: number): boolean => Number.isFinite(x);
const afresh = (values: number[]): string =>
  bitText(
    values
      .filter(isMember)
      .map((x) => x + 0)
      .sort((a, b) => a - b),
  );

describe("sorted window", () => {
  it("holds what sorting afresh gives, to the bit, whatever happened before", () => {
    fc.assert(
      fc.property(anyArray, fc.array(step, { maxLength: 120 }), (start, steps) => {
        const window = emptySortedWindow();
        const model = [...start];
        rebuild(window, Float64Array.from(start), 0, start.length);
        for (const { kind, value: entering, which } of steps) {
          if (kind === "insert" || model.length === 0) {
            insert(window, entering);
            model.push(entering);
          } else {
            const [leaving] = model.splice(which % model.length, 1);
            if (kind === "remove") assert.ok(remove(window, leaving));
            else {
              assert.ok(replace(window, leaving, entering));
              model.push(entering);
            }
          }
          assert.equal(bitText(window.sorted.subarray(0, window.length)), afresh(model));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("refuses to give what it does not hold, and stays as it was", () => {
    const window = emptySortedWindow();
    rebuild(window, Float64Array.of(3, 1), 0, 2);
    assert.equal(remove(window, 2), false);
    assert.equal(remove(window, 4), false);
    assert.equal(replace(window, 4, 5), false);
    assert.equal(replace(window, 4, NaN), false);
    assert.deepEqual([...window.sorted.subarray(0, window.length)], [1, 3]);
  });

  it("rebuilds from any part, forgets what it held, and does not touch the values", () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i * 37) % 100);
    const unchanged = bitText(values);
    const window = emptySortedWindow();
    rebuild(window, values, 0, 100);
    rebuild(window, values, 10, 13);
    assert.equal(bitText(window.sorted.subarray(0, window.length)), afresh([...values.subarray(10, 13)]));
    assert.equal(bitText(values), unchanged);
  });

  it("takes no more memory than twice its largest contents", () => {
    const window = emptySortedWindow();
    for (let i = 0; i < 720; i++) insert(window, i);
    for (let i = 0; i < 100_000; i++) replace(window, i, i + 720);
    assert.equal(window.sorted.length, 1024);
  });
});
