import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dotProduct } from "../../services/kernels/dot-product.js";
import { symmetricEigen } from "../../services/kernels/symmetric-eigen.js";
import { bitText } from "./exact-arithmetic.js";

/** Symmetric, of any size from one on; some of low rank, some in blocks. */
const symmetric = fc
  .tuple(
    fc.integer({ min: 1, max: 24 }),
    fc.integer({ min: 1, max: 24 }),
    fc.array(fc.oneof(fc.constant(0), fc.double({ min: -3, max: 3, noNaN: true })), {
      minLength: 1,
      maxLength: 600,
    }),
  )
  .map(([size, rank, numbers]) => {
    const matrix = new Float64Array(size * size);
    const at = (i: number, k: number): number => numbers[(i * rank + k) % numbers.length];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        for (let k = 0; k < rank; k++) matrix[i * size + j] += (k % 3 === 0 ? -1 : 1) * at(i, k) * at(j, k);
      }
    }
    return { matrix, size };
  });

describe("symmetric eigenvectors", () => {
  it("are of length 1, at right angles, and give the matrix back", () => {
    fc.assert(
      fc.property(symmetric, ({ matrix, size }) => {
        const unchanged = bitText(matrix);
        const { values, vectors } = symmetricEigen(matrix, size);
        assert.equal(bitText(matrix), unchanged);
        const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        // Products of denormals are rounded to multiples of the smallest.
        const allowed = size * (1e-13 * largest + 2 * Number.MIN_VALUE);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const angle = dotProduct(vectors, i * size, vectors, j * size, size);
            assert.ok(Math.abs(angle - Number(i === j)) < 1e-13, `${i} · ${j} = ${angle}`);
            let again = 0;
            for (let k = 0; k < size; k++) again += values[k] * vectors[k * size + i] * vectors[k * size + j];
            assert.ok(Math.abs(again - matrix[i * size + j]) <= allowed, `${i}, ${j}: ${again}`);
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("of a matrix of two are known", () => {
    const { values } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    assert.deepEqual(
      [...values].sort().map((value) => Number(value.toFixed(14))),
      [1, 3],
    );
    assert.deepEqual([...symmetricEigen(Float64Array.of(-4), 1).values], [-4]);
    assert.equal(symmetricEigen(new Float64Array(0), 0).values.length, 0);
  });

  it("come to an end where a number is not finite", () => {
    const { values } = symmetricEigen(Float64Array.of(NaN, 1, 2, 1, Infinity, 0, 2, 0, 3), 3);
    assert.ok(values.some((value) => Number.isNaN(value)));
  });
});
