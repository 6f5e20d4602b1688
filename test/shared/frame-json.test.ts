import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { conversionErrors } from "../../services/kernels/convert/conversion.js";
import { type ValueType, convertText, valueTypes } from "../../services/kernels/convert/convert-text.js";
import { valueForms } from "../../services/kernels/convert/type-change.js";
import { jsonValue, rawFrameOf } from "../../services/shared/frame-json.js";

const entity = { job: "api" };
const line = (values: readonly unknown[], more: object = {}) =>
  JSON.stringify({
    entity,
    timestamp: 7,
    samples: values.map((value, i) => ({ metric: `m${i}`, value, ...more })),
  });

/** What is read of these values, all of one type. */
const read = (values: readonly unknown[], type: ValueType = "number") => {
  const { values: numbers, given } = rawFrameOf(line(values), () => type);
  return {
    numbers: [...numbers],
    forms: Array.from(given?.forms ?? [], (form) => valueForms[form]),
    errors: Array.from(given?.errors ?? [], (error) => conversionErrors[error]),
  };
};

describe("rawFrameOf", () => {
  it("reads a text as its series' type says", () => {
    const types: Record<string, ValueType> = { m0: "duration", m1: "bytes", m2: "boolean", m4: "ratio" };
    const frame = rawFrameOf(
      line(["12ms", "3Gi", "true", "1.5", "85%"]),
      ({ metric }) => types[metric] ?? "number",
    );
    assert.deepEqual([...frame.values], [0.012, 3 * 1024 ** 3, 1, 1.5, 0.85]);
    assert.deepEqual([...frame.given!.errors], [0, 0, 0, 0, 0]);
  });

  it("reads true and false as 1 and 0, and numbers as they are, whatever the type", () => {
    for (const type of valueTypes) assert.deepEqual(read([true, false, 2.5], type).numbers, [1, 0, 2.5]);
  });

  it("has NaN, and why, for a text without a number", () => {
    assert.deepEqual(read(["soon", " ", "3 parsecs", "1e999", "1", null, 4]), {
      numbers: [NaN, NaN, NaN, NaN, 1, NaN, 4],
      errors: ["form", "empty", "unit", "range", "none", "none", "none"],
      forms: ["text", "none", "text", "text", "number", "none", "number"],
    });
  });

  it("reads what tail writes of an infinity, whatever the type", () => {
    for (const type of valueTypes) {
      const written = JSON.parse(JSON.stringify([Infinity, -Infinity], jsonValue)) as unknown[];
      assert.deepEqual(read(written, type).numbers, [Infinity, -Infinity]);
      assert.deepEqual(read(written, type).errors, ["none", "none"]);
    }
  });

  it("does not look at the value of a stale marker", () => {
    const { values, stale, given } = rawFrameOf(line(["gone"], { stale: true }), () => "duration");
    assert.deepEqual([[...values], [...stale], [...given!.errors]], [[NaN], [1], [0]]);
  });

  it("says nothing of how values were given where all are numbers", () => {
    assert.equal(rawFrameOf(line([1, null]), () => "number").given, undefined);
  });

  it("never throws on a text, and has the kernel's number", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...Array.from("0123456789.eE+-mskKMGiB% ")) }),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(...valueTypes), (value, type) => {
        const { value: number, error } = convertText(value, type);
        assert.deepEqual(read([value], type).numbers, [number]);
        assert.deepEqual(read([value], type).errors, [conversionErrors[error]]);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });

  it("refuses what is no value", () => {
    for (const value of [[1], {}]) {
      assert.throws(() => rawFrameOf(line([value]), () => "number"), { code: "INPUT_INVALID" });
    }
  });
});
